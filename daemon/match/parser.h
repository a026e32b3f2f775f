// Tokens to a program: the grammar, and which names and types fit together.
#pragma once

#include "match/lexer.h"
#include "match/program.h"

namespace waylay::match {

// Fills nodes, operands, keys and patterns. Blank text gives no nodes.
Result<void> parse(const Source& source, Program& program);

}  // namespace waylay::match
