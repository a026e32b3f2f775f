#include "rules/json_reader.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/clock.h"
#include "base/nearest.h"
#include "rules/duration.h"

namespace waylay::rules {
namespace {

constexpr int kMostNesting = 32;  // rules need five

// Watches what nlohmann's parser lets pass: keys that come twice (the last one would win silently) and deep nesting.
class Watch {
 public:
  bool operator()(int depth, Json::parse_event_t event, const Json& value) {
    if (depth > kMostNesting) problem_ = "nested more than " + std::to_string(kMostNesting) + " levels deep";
    if (event == Json::parse_event_t::object_start) open_.emplace_back();
    if (event == Json::parse_event_t::object_end) open_.pop_back();
    if (event == Json::parse_event_t::key && !open_.back().insert(value.get<std::string>()).second && problem_.empty())
      problem_ = "the key \"" + value.get<std::string>() + "\" stands twice in one object";
    return true;
  }
  const std::string& problem() const { return problem_; }

 private:
  std::vector<std::set<std::string>> open_;
  std::string problem_;
};

Error bad(std::string_view origin, std::string_view what) {
  return Error::local(ErrorKind::Invalid, std::string(origin) + ": " + std::string(what));
}

// The library's message without its own name for it: "line 3, column 7: syntax error while parsing ...".
std::string reason_of(std::string_view message) {
  constexpr std::string_view kBefore = "parse error at ";
  size_t begin = message.find(kBefore);
  if (begin != std::string_view::npos) message.remove_prefix(begin + kBefore.size());
  return std::string(message);
}

// Before anything is allocated for it: brackets beyond the limit make the parser's stack as long as the text.
bool nests_too_deep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (quoted && c == '\\') ++i;
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > 4096) return true;
  }
  return false;
}

std::string shown(double number) {
  return Json(number == std::floor(number) ? Json(static_cast<int64_t>(number)) : Json(number)).dump();
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view origin, size_t limit) {
  if (text.size() > limit)
    return fail(Error::local(ErrorKind::Limit, std::string(origin) + ": " + std::to_string(text.size()) +
                                                   " bytes; at most " + std::to_string(limit) + " are read"));
  if (nests_too_deep(text))
    return fail(bad(origin, "nested more than " + std::to_string(kMostNesting) + " levels deep"));
  Watch watch;
  try {
    Json document = Json::parse(text, std::ref(watch), true, true);
    if (!watch.problem().empty()) return fail(bad(origin, watch.problem()));
    return document;
  } catch (const nlohmann::json::exception& error) {
    return fail(bad(origin, reason_of(error.what())));
  }
}

Place Place::operator/(std::string_view key) const {
  std::string pointer = pointer_ + "/";
  for (char c : key) {
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
  }
  return Place(std::move(pointer));
}

void Reader::wrong(const Place& place, std::string_view what) {
  if (first_) return;
  std::string where = place.pointer().empty() ? origin_ : origin_ + ": " + place.pointer();
  first_ = bad(where, what);
}

std::string_view describe(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  if (value.is_string()) return "text";
  if (value.is_boolean()) return "true or false";
  if (value.is_null()) return "null";
  return value.is_number_float() ? "a number with a fraction" : "a number";
}

bool Reader::is_object(const Json& value, const Place& place, const std::vector<std::string_view>& keys) {
  if (!value.is_object()) {
    wrong(place, std::string("must be an object, not ") + std::string(describe(value)));
    return false;
  }
  for (const auto& [key, ignored] : value.items()) {
    if (std::ranges::find(keys, key) != keys.end()) continue;
    wrong(place / key, "unknown key" + did_you_mean(key, keys));
    return false;
  }
  return true;
}

Result<std::string> Reader::file(const std::string& path) const {
  if (files_) return files_(path);
  return fail(Error::local(ErrorKind::Invalid,
                           "the daemon reads no files but those beside its rules files: waylay rules add reads it, or "
                           "say the content with \"body\" or \"body_base64\""));
}

const Json* Reader::member(const Json& object, std::string_view key) {
  auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::optional<std::string> Reader::text(const Json& value, const Place& place) {
  if (value.is_string()) return value.get<std::string>();
  wrong(place, "must be text in quotes, not " + std::string(describe(value)));
  return std::nullopt;
}

std::optional<int64_t> Reader::integer(const Json& value, const Place& place) {
  bool fits = value.is_number_integer() && (!value.is_number_unsigned() || value.get<uint64_t>() <= INT64_MAX);
  if (fits) return value.get<int64_t>();
  std::string_view what = value.is_number_integer() ? "a larger one" : describe(value);
  wrong(place, "must be a whole number, not " + std::string(what));
  return std::nullopt;
}

std::optional<bool> Reader::boolean(const Json& value, const Place& place) {
  if (value.is_boolean()) return value.get<bool>();
  wrong(place, "must be true or false, not " + std::string(describe(value)));
  return std::nullopt;
}

std::optional<double> Reader::number(const Json& value, const Place& place, double least, double most) {
  if (value.is_number() && value.get<double>() >= least && value.get<double>() <= most) return value.get<double>();
  wrong(place, "must be a number from " + shown(least) + " to " + shown(most));
  return std::nullopt;
}

std::optional<int64_t> Reader::duration(const Json& value, const Place& place, std::string_view what, int64_t most_ns) {
  std::optional<std::string> written = text(value, place);
  if (!written) return std::nullopt;
  std::optional<int64_t> duration = parse_duration(*written);
  if (duration && *duration > 0 && *duration <= most_ns) return duration;
  wrong(place, "\"" + *written + "\" is not " + std::string(what) +
                   ": write \"200ms\" or \"1.5s\" (units ns us ms s m h), at most " +
                   shown(static_cast<double>(most_ns) / kSecond_ns) + "s");
  return std::nullopt;
}

std::optional<std::string> Reader::text(const Json& object, std::string_view key, const Place& place) {
  const Json* value = member(object, key);
  return value ? text(*value, place / key) : std::nullopt;
}

std::optional<int64_t> Reader::integer(const Json& object, std::string_view key, const Place& place) {
  const Json* value = member(object, key);
  return value ? integer(*value, place / key) : std::nullopt;
}

std::optional<bool> Reader::boolean(const Json& object, std::string_view key, const Place& place) {
  const Json* value = member(object, key);
  return value ? boolean(*value, place / key) : std::nullopt;
}

std::optional<int64_t> Reader::duration(const Json& object, std::string_view key, const Place& place,
                                        std::string_view what, int64_t most_ns) {
  const Json* value = member(object, key);
  return value ? duration(*value, place / key, what, most_ns) : std::nullopt;
}

}  // namespace waylay::rules
