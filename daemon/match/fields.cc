#include "match/fields.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"

namespace waylay::match {

namespace {

constexpr bool table_is_in_order() {
  for (size_t i = 0; i < kFields.size(); ++i) {
    if (kFields[i].field != static_cast<Field>(i)) return false;
  }
  return static_cast<size_t>(Field::WebSocketCloseCode) + 1 == kFields.size();
}
static_assert(table_is_in_order(), "info() indexes the table by the enumeration");

}  // namespace

std::string_view to_string(Type type) {
  switch (type) {
    case Type::Boolean:
      return "boolean";
    case Type::Integer:
      return "integer";
    case Type::String:
      return "string";
    case Type::Address:
      return "address";
    case Type::Duration:
      return "duration";
    case Type::Size:
      return "size";
    case Type::Json:
      return "json";
  }
  CHECK(!"a type");
}

std::string_view to_string(Moment moment) {
  switch (moment) {
    case Moment::Connect:
      return "connect";
    case Moment::Hello:
      return "hello";
    case Moment::Request:
      return "request";
    case Moment::RequestBody:
      return "request body";
    case Moment::Response:
      return "response";
    case Moment::ResponseBody:
      return "response body";
    case Moment::End:
      return "end";
  }
  CHECK(!"a moment");
}

const FieldInfo* find_field(std::string_view name) {
  if (name.empty()) return nullptr;
  for (const FieldInfo& field : kFields) {
    if (field.name == name || std::ranges::find(field.aliases, name) != field.aliases.end()) return &field;
  }
  return nullptr;
}

std::vector<std::string_view> field_names() {
  std::vector<std::string_view> names;
  for (const FieldInfo& field : kFields) {
    names.push_back(field.name);
    std::ranges::copy_if(field.aliases, std::back_inserter(names),
                         [](std::string_view alias) { return !alias.empty(); });
  }
  return names;
}

}  // namespace waylay::match
