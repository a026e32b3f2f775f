#include "body/content.h"

#include <limits>
#include <nlohmann/json.hpp>

namespace waylay::body {
namespace {

using Json = nlohmann::json;

// Refuses what is too deep while it is parsed, before anything of that depth is made.
bool is_shallow(int depth, Json::parse_event_t, Json&) {
  if (depth > kMostJsonDepth) throw std::length_error("too deep");
  return true;
}

std::unique_ptr<Json> parse(std::string_view text) {
  if (text.size() > kMostJsonBytes) return nullptr;
  try {
    return std::make_unique<Json>(Json::parse(text, is_shallow));
  } catch (const std::exception&) {
    return nullptr;
  }
}

const Json* step_into(const Json& json, const std::string& member) {
  auto found = json.is_object() ? json.find(member) : json.end();
  return found == json.end() ? nullptr : &*found;
}
const Json* step_into(const Json& json, size_t index) {
  return json.is_array() && index < json.size() ? &json[index] : nullptr;
}

match::Value number_of(const Json& json) {
  if (json.is_number_float()) return json.get<double>();
  bool beyond = json.is_number_unsigned() && json.get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()};
  return beyond ? match::Value{json.get<double>()} : match::Value{json.get<int64_t>()};
}

match::Value value_of(const Json& json) {
  if (json.is_null()) return {};
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number()) return number_of(json);
  if (const auto* text = json.get_ptr<const std::string*>()) return std::string_view(*text);
  return match::Compound{};
}

}  // namespace

Content::Content(std::string decoded) : text_(std::move(decoded)) {}
Content::Content(Content&&) noexcept = default;
Content& Content::operator=(Content&&) noexcept = default;
Content::~Content() = default;

const Json* Content::json() const {
  if (!parsed_) json_ = parse(text_);
  parsed_ = true;
  return json_.get();
}

match::Value Content::at(const match::JsonPath& path) const {
  const Json* place = json();
  for (const match::JsonPath::Step& step : path.steps()) {
    if (place == nullptr) return {};
    place = std::visit([&](const auto& name) { return step_into(*place, name); }, step);
  }
  return place == nullptr ? match::Value{} : value_of(*place);
}

}  // namespace waylay::body
