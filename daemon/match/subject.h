// What an expression is asked about: an exchange, a flow, a stored record. It answers field by field and owns the
// values; a Value is borrowed for the call.
#pragma once

#include <string_view>
#include <variant>

#include "base/address.h"
#include "match/fields.h"

namespace waylay::match {

// Absent is monostate. Durations are nanoseconds and sizes are bytes, both as int64_t; of an Address the port is
// ignored.
using Value = std::variant<std::monostate, bool, int64_t, std::string_view, Address>;

// Whether a value is absent or what a field of this type holds. A Subject whose values do not fit is a bug, and stops.
bool fits(Type type, const Value& value);

class ValueVisitor {
 public:
  virtual bool visit(const Value& value) = 0;  // false: enough seen, stop

 protected:
  ~ValueVisitor() = default;
};

class Subject {
 public:
  virtual ~Subject();

  // The value of a field, the first one where there are several. `key` is empty unless the field takes one; a header
  // name comes in lower case. Asked only for fields whose moment has come.
  virtual Value value(Field field, std::string_view key) const = 0;

  // Every value of a field that may have several (FieldInfo::repeated). By default what value() says, if anything.
  virtual void values(Field field, std::string_view key, ValueVisitor& visitor) const;
};

}  // namespace waylay::match
