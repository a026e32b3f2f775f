// What an expression is asked about: an exchange, a flow, a stored record. It answers field by field and owns the
// values; a Value is borrowed for the call.
#pragma once

#include <string_view>
#include <variant>

#include "base/address.h"
#include "match/fields.h"
#include "match/json_path.h"

namespace waylay::match {

// An object or an array of JSON: it is there, and equal to nothing.
struct Compound {};

// Absent is monostate. Durations are nanoseconds and sizes are bytes, both as int64_t; of an Address the port is
// ignored. A number of JSON is a double only where it is no int64_t.
using Value = std::variant<std::monostate, bool, int64_t, double, std::string_view, Address, Compound>;

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

  // The value of a field, the first one where there are several. `key` is empty unless the field takes the name of a
  // header, which comes in lower case. Asked only for fields whose moment has come.
  virtual Value value(Field field, std::string_view key) const = 0;

  // The value of a field that takes a JSON path. By default absent.
  virtual Value json(Field field, const JsonPath& path) const;

  // Every value of a field that may have several (FieldInfo::repeated). By default what value() says, if anything.
  virtual void values(Field field, std::string_view key, ValueVisitor& visitor) const;
};

}  // namespace waylay::match
