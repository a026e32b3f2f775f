#include "body/edit.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/nearest.h"
#include "body/coding.h"
#include "body/json_patch.h"
#include "body/json_pointer.h"
#include "body/regex_edit.h"

namespace waylay::body {
namespace {

using Json = nlohmann::ordered_json;
using Read = std::expected<std::shared_ptr<const Edit>, Mistake>;

std::unexpected<Mistake> mistake(std::string pointer, std::string what) {
  return std::unexpected(Mistake{std::move(pointer), std::move(what)});
}

struct Kind {
  std::string_view key;
  Read (*read)(const Json&);
  std::vector<std::string_view> keys;  // all that go with it
};

Read read_regex(const Json& json) {
  const Json& pattern = json.at("regex");
  if (!pattern.is_string()) return mistake("/regex", "must be a regular expression in quotes");
  auto with = json.find("with");
  if (with == json.end()) return mistake("", "\"regex\" needs \"with\", the text that stands there afterwards");
  if (!with->is_string()) return mistake("/with", "must be text in quotes");
  auto first = json.find("first");
  if (first != json.end() && !first->is_boolean()) return mistake("/first", "must be true or false");
  bool only_first = first != json.end() && first->get<bool>();
  return make_regex_edit(pattern.get<std::string>(), with->get<std::string>(), only_first);
}

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kAll = {
      {"regex", read_regex, {"regex", "with", "first"}},
      {"json_patch", [](const Json& json) { return make_json_patch(json.at("json_patch")); }, {"json_patch"}},
      {"merge_patch", [](const Json& json) { return make_merge_patch(json.at("merge_patch")); }, {"merge_patch"}}};
  return kAll;
}

}  // namespace

Edit::~Edit() = default;

Read read_edit(const Json& json) {
  if (!json.is_object())
    return mistake("", "must be an object with \"replace\", \"regex\", \"json_patch\" or \"merge_patch\"");
  auto kind = std::ranges::find_if(kinds(), [&](const Kind& one) { return json.contains(one.key); });
  if (kind == kinds().end())
    return mistake("", "needs one of \"replace\", \"regex\", \"json_patch\" and \"merge_patch\"");
  for (const auto& [key, value] : json.items())
    if (std::ranges::find(kind->keys, key) == kind->keys.end())
      return mistake(pointer_to(key),
                     "does not go with \"" + std::string(kind->key) + "\"" + did_you_mean(key, kind->keys));
  return kind->read(json);
}

}  // namespace waylay::body
