// Text to tokens. A token knows its place; a string is already decoded.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "match/program.h"
#include "match/source.h"

namespace waylay::match {

enum class TokenKind : uint8_t {
  End,       // of the text
  Bad,       // what cannot be read; always the last one, and Tokens::error says why
  Word,      // the name of a field, or a name that means nothing
  Constant,  // a number, a duration, a size, an address, true or false; still as it was written
  String,
  Compare,  // == != < > <= >= contains matches
  In,
  And,
  Or,
  Not,
  OpenParenthesis,
  CloseParenthesis,
  OpenBrace,
  CloseBrace,
  OpenBracket,
  CloseBracket,
  Comma,
  DotDot,
};

struct Token {
  TokenKind kind = TokenKind::End;
  Range where;
  Operator compare = Operator::Equal;  // of Compare
  std::string string;                  // of String: its bytes
  bool plain = false;                  // of String: each byte of it stands in the source as it is
};

struct Tokens {
  std::vector<Token> tokens;  // never empty; ends with End or Bad
  std::optional<Error> error;
};

// An error does not hide one of the parser's that stands before it: what was read so far is returned with it.
Tokens tokenize(const Source& source);

}  // namespace waylay::match
