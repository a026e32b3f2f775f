// What an expression is compiled into: a flat vector of nodes, a parent before its children, evaluated in place.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "match/expression.h"

namespace waylay::match {

enum class Operator : uint8_t { Equal, NotEqual, Less, Greater, LessOrEqual, GreaterOrEqual, Contains, Matches };

// What a value is compared with. One literal is a range from itself to itself, one address is a network of one.
struct NumberRange {
  int64_t low = 0, high = 0;  // booleans are 0 and 1, but for those of JSON
};
struct DecimalRange {
  double low = 0, high = 0;
};
struct Flag {  // true or false of JSON
  bool value = false;
};
struct Text {
  std::string text;  // in lower case where the field ignores case
};
struct TextRange {
  std::string low, high;
};
struct Network {
  Address base;  // unmapped
  uint8_t prefix = 0;
};
struct AddressRange {
  Address low, high;  // of one family
};
using Operand = std::variant<NumberRange, Text, TextRange, Network, AddressRange, DecimalRange, Flag>;

enum class NodeKind : uint8_t { All, Any, Not, Present, Compare, In };

struct Node {
  NodeKind kind = NodeKind::All;
  Operator compare = Operator::Equal;  // of Compare
  Field field = Field::IpSource;       // of Present, Compare and In
  uint32_t size = 1;                   // this node and everything below it; a next sibling stands so much further on
  uint32_t key = 0;                    // index in keys
  uint32_t path = 0;                   // index in paths, of a field that takes one
  uint32_t operand = 0;                // index of the first one in operands; of Matches, in patterns
  uint32_t operands = 0;               // of In: how many
};

struct Program {
  std::string text;
  std::vector<Node> nodes;  // empty: matches everything
  std::vector<Operand> operands;
  std::vector<std::string> keys{""};  // the first is for fields without one
  std::vector<JsonPath> paths;
  std::vector<std::unique_ptr<re2::RE2>> patterns;

  Moment known_at = Moment::Connect;
  std::vector<Field> fields;
  std::vector<std::string> hosts, methods;  // as Expression says
};

}  // namespace waylay::match
