// Which values a program requires of some fields, for an index of many expressions.
#pragma once

#include <functional>

#include "match/program.h"

namespace waylay::match {

// If the program matches, a field that `is_meant` accepts has one of these values: texts, and numbers in decimal. It is
// asked about nodes that compare a field. Sorted, each once; empty means any.
std::vector<std::string> required_values(const Program& program, const std::function<bool(const Node&)>& is_meant);

}  // namespace waylay::match
