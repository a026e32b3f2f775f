// What stands right of an operator, held against the type of the field on the left.
#pragma once

#include "match/literal.h"
#include "match/program.h"

namespace waylay::match {

// Whether fields of this type have this operator; `where` is the operator's place.
Result<void> check_operator(const Source& source, Range where, const FieldInfo& field, Operator compare);

Result<Operand> make_operand(const Source& source, const FieldInfo& field, Operator compare, const Literal& literal);
Result<Operand> make_range(const Source& source, const FieldInfo& field, const Literal& low, const Literal& high);

// The right side of `matches`.
Result<std::unique_ptr<re2::RE2>> make_pattern(const Source& source, const FieldInfo& field, const Literal& literal);

}  // namespace waylay::match
