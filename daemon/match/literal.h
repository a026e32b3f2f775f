// Literals, read but not yet held against a field: 443, 0x1bb, -1.5, 250ms, 10KiB, 10.0.0.0/8, ::1, "text", true.
#pragma once

#include <string>

#include "base/address.h"
#include "match/lexer.h"

namespace waylay::match {

enum class LiteralKind : uint8_t { Boolean, Integer, Decimal, Duration, Size, String, Address, Network };
std::string_view to_string(LiteralKind kind);  // with its article: "an integer"

struct Literal {
  LiteralKind kind = LiteralKind::Integer;
  Range where;
  int64_t number = 0;  // of Boolean, Integer, Duration (ns), Size (bytes)
  double decimal = 0;  // of Decimal
  std::string string;  // of String
  bool plain = false;  // of String: see Token
  Address address;     // of Address and Network; unmapped
  uint8_t prefix = 0;  // of Address and Network
};

// Of a token that is a String or a Constant.
Result<Literal> read_literal(const Source& source, const Token& token);

}  // namespace waylay::match
