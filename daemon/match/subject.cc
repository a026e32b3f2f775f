#include "match/subject.h"

#include "base/check.h"

namespace waylay::match {

Subject::~Subject() = default;

void Subject::values(Field field, std::string_view key, ValueVisitor& visitor) const {
  Value only = value(field, key);
  if (!std::holds_alternative<std::monostate>(only)) visitor.visit(only);
}

Value Subject::json(Field, const JsonPath&) const {
  return {};
}

bool fits(Type type, const Value& value) {
  if (std::holds_alternative<std::monostate>(value)) return true;
  switch (type) {
    case Type::Boolean:
      return std::holds_alternative<bool>(value);
    case Type::Integer:
    case Type::Duration:
    case Type::Size:
      return std::holds_alternative<int64_t>(value);
    case Type::String:
      return std::holds_alternative<std::string_view>(value);
    case Type::Address:
      return std::holds_alternative<Address>(value);
    case Type::Json:
      return !std::holds_alternative<Address>(value);
  }
  CHECK(!"a type");
}

}  // namespace waylay::match
