#include "cli/json.h"

#include <nlohmann/json.hpp>

#include "cli/terminal.h"

namespace waylay::cli {

Json parse(std::string_view text) {
  return Json::parse(text, nullptr, false);
}

std::string to_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const Json& member(const Json& json, std::string_view key) {
  static const Json kNull;
  if (!json.is_object()) return kNull;
  auto found = json.find(key);
  return found == json.end() ? kNull : *found;
}

std::string text(const Json& json, std::string_view key) {
  const Json& value = member(json, key);
  return value.is_string() ? harmless(value.get_ref<const std::string&>()) : std::string();
}

double number(const Json& json, std::string_view key) {
  const Json& value = member(json, key);
  return value.is_number() ? value.get<double>() : 0;
}

bool flag(const Json& json, std::string_view key) {
  const Json& value = member(json, key);
  return value.is_boolean() && value.get<bool>();
}

}  // namespace waylay::cli
