#include "match/evaluate.h"

#include "base/check.h"
#include "match/order.h"

namespace waylay::match {

namespace {

Truth truth(bool value) {
  return value ? Truth::Yes : Truth::No;
}

Truth negate(Truth value) {
  if (value == Truth::Unknown) return value;
  return truth(value == Truth::No);
}

bool holds(Operator compare, std::partial_ordering order) {
  switch (compare) {
    case Operator::Equal:
      return order == 0;
    case Operator::NotEqual:
      return order != 0;
    case Operator::Less:
      return order < 0;
    case Operator::Greater:
      return order > 0;
    case Operator::LessOrEqual:
      return order <= 0;
    case Operator::GreaterOrEqual:
      return order >= 0;
    default:
      CHECK(!"an operator of order");
  }
}

// A number of JSON and one of the expression, each an int64_t or a double.
std::partial_ordering order_numbers(int64_t a, int64_t b) {
  return a <=> b;
}
std::partial_ordering order_numbers(int64_t a, double b) {
  return order(a, b);
}
std::partial_ordering order_numbers(double a, double b) {
  return a <=> b;
}
std::partial_ordering order_numbers(double a, int64_t b) {
  return 0 <=> order(b, a);
}

// Values of two types have no order, and so differ.
template <class Number>
std::partial_ordering order_with_number(const Value& value, Number number) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return order_numbers(*integer, number);
  if (const auto* decimal = std::get_if<double>(&value)) return order_numbers(*decimal, number);
  return std::partial_ordering::unordered;
}
std::partial_ordering order_with_text(const Value& value, std::string_view text) {
  const auto* string = std::get_if<std::string_view>(&value);
  return string ? order(*string, text, false) : std::partial_ordering::unordered;
}

// Where a value of JSON stands, seen from both ends of an operand.
struct Bounds {
  std::partial_ordering low, high;
};

struct JsonBounds {
  const Value& value;

  Bounds operator()(const NumberRange& range) const {
    return {order_with_number(value, range.low), order_with_number(value, range.high)};
  }
  Bounds operator()(const DecimalRange& range) const {
    return {order_with_number(value, range.low), order_with_number(value, range.high)};
  }
  Bounds operator()(const Text& text) const {
    std::partial_ordering both = order_with_text(value, text.text);
    return {both, both};
  }
  Bounds operator()(const TextRange& range) const {
    return {order_with_text(value, range.low), order_with_text(value, range.high)};
  }
  Bounds operator()(const Flag& flag) const {
    const bool* held = std::get_if<bool>(&value);
    bool equal = held != nullptr && *held == flag.value;
    std::partial_ordering both = equal ? std::partial_ordering::equivalent : std::partial_ordering::unordered;
    return {both, both};
  }
  Bounds operator()(const Network&) const { CHECK(!"an operand of JSON"); }
  Bounds operator()(const AddressRange&) const { CHECK(!"an operand of JSON"); }
};

// One value of a field, held against the right side of a node.
class Test {
 public:
  Test(const Program& program, const Node& node) : program_(program), node_(node), field_(info(node.field)) {}

  bool holds_for(const Value& value) const {
    CHECK(fits(field_.type, value));
    if (node_.kind == NodeKind::Present) return field_.type != Type::Boolean || std::get<bool>(value);
    switch (field_.type) {
      case Type::Boolean:
        return number(std::get<bool>(value) ? 1 : 0);
      case Type::Integer:
      case Type::Duration:
      case Type::Size:
        return number(std::get<int64_t>(value));
      case Type::String:
        return text(std::get<std::string_view>(value));
      case Type::Address:
        return address(std::get<Address>(value).unmapped());
      case Type::Json:
        return json(value);
    }
    CHECK(!"a type");
  }

 private:
  bool number(int64_t value) const {
    if (node_.kind == NodeKind::Compare) return holds(node_.compare, value <=> operand<NumberRange>(0).low);
    for (uint32_t i = 0; i < node_.operands; ++i) {
      const auto& range = operand<NumberRange>(i);
      if (range.low <= value && value <= range.high) return true;
    }
    return false;
  }

  bool text(std::string_view value) const {
    if (node_.field == Field::HttpHost) value = host_without_port(value);
    if (node_.kind == NodeKind::In) return text_in_set(value);
    switch (node_.compare) {
      case Operator::Matches: {
        re2::StringPiece piece(value.data(), value.size());
        return program_.patterns[node_.operand]->Match(piece, 0, piece.size(), re2::RE2::UNANCHORED, nullptr, 0);
      }
      case Operator::Contains:
        return contains(value, operand<Text>(0).text, field_.ignore_case);
      default:
        return holds(node_.compare, order(value, operand<Text>(0).text, field_.ignore_case));
    }
  }

  bool text_in_set(std::string_view value) const {
    bool fold = field_.ignore_case;
    for (uint32_t i = 0; i < node_.operands; ++i) {
      const Operand& element = program_.operands[node_.operand + i];
      if (const Text* one = std::get_if<Text>(&element)) {
        if (one->text.size() == value.size() && order(value, one->text, fold) == 0) return true;
        continue;
      }
      const auto& range = std::get<TextRange>(element);
      if (order(value, range.low, fold) >= 0 && order(value, range.high, fold) <= 0) return true;
    }
    return false;
  }

  bool address(const Address& value) const {
    if (node_.kind == NodeKind::In) return address_in_set(value);
    const auto& network = operand<Network>(0);
    switch (node_.compare) {
      case Operator::Equal:
        return is_in_network(value, network.base, network.prefix);
      case Operator::NotEqual:
        return !is_in_network(value, network.base, network.prefix);
      default:
        return holds(node_.compare, order(value, network.base));
    }
  }

  bool address_in_set(const Address& value) const {
    for (uint32_t i = 0; i < node_.operands; ++i) {
      const Operand& element = program_.operands[node_.operand + i];
      if (const Network* network = std::get_if<Network>(&element)) {
        if (is_in_network(value, network->base, network->prefix)) return true;
        continue;
      }
      const auto& range = std::get<AddressRange>(element);
      if (order(value, range.low) >= 0 && order(value, range.high) <= 0) return true;
    }
    return false;
  }

  bool json(const Value& value) const {
    if (node_.kind == NodeKind::In) return json_in_set(value);
    if (node_.compare != Operator::Contains && node_.compare != Operator::Matches) {
      return holds(node_.compare, std::visit(JsonBounds{value}, program_.operands[node_.operand]).low);
    }
    const auto* string = std::get_if<std::string_view>(&value);
    return string != nullptr && text(*string);
  }

  bool json_in_set(const Value& value) const {
    for (uint32_t i = 0; i < node_.operands; ++i) {
      Bounds bounds = std::visit(JsonBounds{value}, program_.operands[node_.operand + i]);
      if (bounds.low >= 0 && bounds.high <= 0) return true;
    }
    return false;
  }

  template <class T>
  const T& operand(uint32_t i) const {
    return std::get<T>(program_.operands[node_.operand + i]);
  }

  const Program& program_;
  const Node& node_;
  const FieldInfo& field_;
};

// Of several values one that holds decides; but != holds only if it does for all, so there one that does not decides.
class AnyValue final : public ValueVisitor {
 public:
  AnyValue(const Test& test, bool all) : test_(test), all_(all) {}

  bool visit(const Value& value) override {
    seen_ = true;
    decided_ = decided_ || test_.holds_for(value) != all_;
    return !decided_;
  }
  bool holds() const { return seen_ && decided_ != all_; }

 private:
  const Test& test_;
  bool all_;
  bool seen_ = false, decided_ = false;
};

class Evaluation {
 public:
  // `partial`, if there is one, is the subject.
  Evaluation(const Program& program, const Subject& subject, Moment now, const PartialSubject* partial = nullptr)
      : program_(program), subject_(subject), now_(now), partial_(partial) {}

  Truth at(size_t index) const {
    const Node& node = program_.nodes[index];
    switch (node.kind) {
      case NodeKind::All:
        return children(index, Truth::No, Truth::Yes);
      case NodeKind::Any:
        return children(index, Truth::Yes, Truth::No);
      case NodeKind::Not:
        return negate(at(index + 1));
      default:
        return test(node);
    }
  }

 private:
  // One child that is `decisive` decides; else one that is unknown does; else it is `otherwise`.
  Truth children(size_t index, Truth decisive, Truth otherwise) const {
    size_t end = index + program_.nodes[index].size;
    Truth result = otherwise;
    for (size_t child = index + 1; child < end; child += program_.nodes[child].size) {
      Truth value = at(child);
      if (value == decisive) return decisive;
      if (value == Truth::Unknown) result = Truth::Unknown;
    }
    return result;
  }

  Truth test(const Node& node) const {
    const FieldInfo& field = info(node.field);
    if (now_ < field.moment) return Truth::Unknown;
    if (partial_ && !partial_->knows(node.field, program_.keys[node.key])) return Truth::Unknown;
    Test one(program_, node);
    if (!field.repeated) {
      Value value = only_value(node, field);
      return truth(!std::holds_alternative<std::monostate>(value) && one.holds_for(value));
    }
    AnyValue any(one, node.kind == NodeKind::Compare && node.compare == Operator::NotEqual);
    subject_.values(node.field, program_.keys[node.key], any);
    return truth(any.holds());
  }

  Value only_value(const Node& node, const FieldInfo& field) const {
    if (field.key == Key::JsonPath) return subject_.json(node.field, program_.paths[node.path]);
    return subject_.value(node.field, program_.keys[node.key]);
  }

  const Program& program_;
  const Subject& subject_;
  Moment now_;
  const PartialSubject* partial_;
};

}  // namespace

Truth evaluate(const Program& program, const Subject& subject, Moment now) {
  if (program.nodes.empty()) return Truth::Yes;
  return Evaluation(program, subject, now).at(0);
}

Truth evaluate(const Program& program, const PartialSubject& subject) {
  if (program.nodes.empty()) return Truth::Yes;
  return Evaluation(program, subject, Moment::End, &subject).at(0);
}

}  // namespace waylay::match
