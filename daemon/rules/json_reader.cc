#include "rules/json_reader.h"

#include <algorithm>
#include <set>
#include <vector>

#include "base/nearest.h"

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

bool Reader::is_object(const Json& value, const Place& place, std::initializer_list<std::string_view> keys) {
  if (!value.is_object()) {
    wrong(place, std::string("must be an object, not ") + std::string(describe(value)));
    return false;
  }
  for (const auto& [key, ignored] : value.items()) {
    if (std::ranges::find(keys, key) != keys.end()) continue;
    wrong(place / key, "unknown key" + did_you_mean(key, std::vector<std::string_view>(keys)));
    return false;
  }
  return true;
}

const Json* Reader::member(const Json& object, std::string_view key) {
  auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::optional<std::string> Reader::text(const Json& object, std::string_view key, const Place& place) {
  const Json* value = member(object, key);
  if (!value) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  wrong(place / key, "must be text in quotes, not " + std::string(describe(*value)));
  return std::nullopt;
}

std::optional<int64_t> Reader::integer(const Json& object, std::string_view key, const Place& place) {
  const Json* value = member(object, key);
  if (!value) return std::nullopt;
  bool fits = value->is_number_integer() && (!value->is_number_unsigned() || value->get<uint64_t>() <= INT64_MAX);
  if (fits) return value->get<int64_t>();
  std::string_view what = value->is_number_integer() ? "a larger one" : describe(*value);
  wrong(place / key, "must be a whole number, not " + std::string(what));
  return std::nullopt;
}

std::optional<bool> Reader::boolean(const Json& object, std::string_view key, const Place& place) {
  const Json* value = member(object, key);
  if (!value) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  wrong(place / key, "must be true or false, not " + std::string(describe(*value)));
  return std::nullopt;
}

}  // namespace waylay::rules
