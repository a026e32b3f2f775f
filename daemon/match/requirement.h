// Which values a program requires of some fields, for an index of many expressions.
#pragma once

#include <span>

#include "match/program.h"

namespace waylay::match {

// If the program matches, one of `fields` (of type String) has one of these values. Sorted, each once; empty means any.
std::vector<std::string> required_values(const Program& program, std::span<const Field> fields);

}  // namespace waylay::match
