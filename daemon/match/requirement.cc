#include "match/requirement.h"

#include <algorithm>

namespace waylay::match {

namespace {

using Values = std::vector<std::string>;  // empty: any

class Requirement {
 public:
  Requirement(const Program& program, const std::function<bool(const Node&)>& is_meant)
      : program_(program), is_meant_(is_meant) {}

  Values of(size_t index) const {
    const Node& node = program_.nodes[index];
    switch (node.kind) {
      case NodeKind::All:
        return of_all(index);
      case NodeKind::Any:
        return of_any(index);
      case NodeKind::Compare:
        return node.compare == Operator::Equal ? of_operands(node, 1) : Values{};
      case NodeKind::In:
        return of_operands(node, node.operands);
      default:
        return {};
    }
  }

 private:
  // Each child's are required; the fewest make the best index.
  Values of_all(size_t index) const {
    Values fewest;
    for_children(index, [&](size_t child) {
      Values values = of(child);
      if (!values.empty() && (fewest.empty() || values.size() < fewest.size())) fewest = std::move(values);
      return true;
    });
    return fewest;
  }

  Values of_any(size_t index) const {
    Values all;
    bool bound = for_children(index, [&](size_t child) {
      Values values = of(child);
      std::ranges::move(values, std::back_inserter(all));
      return !values.empty();
    });
    return bound ? all : Values{};
  }

  Values of_operands(const Node& node, uint32_t count) const {
    if (!is_meant_(node)) return {};
    Values values;
    for (uint32_t i = 0; i < count; ++i) {
      const Operand& operand = program_.operands[node.operand + i];
      const Text* text = std::get_if<Text>(&operand);
      const NumberRange* number = std::get_if<NumberRange>(&operand);
      bool range = text == nullptr && (number == nullptr || number->low != number->high);
      if (range) return {};
      values.push_back(text != nullptr ? text->text : std::to_string(number->low));
    }
    return values;
  }

  // False as soon as `visit` is.
  template <class Visit>
  bool for_children(size_t index, Visit visit) const {
    size_t end = index + program_.nodes[index].size;
    for (size_t child = index + 1; child < end; child += program_.nodes[child].size) {
      if (!visit(child)) return false;
    }
    return true;
  }

  const Program& program_;
  const std::function<bool(const Node&)>& is_meant_;
};

}  // namespace

std::vector<std::string> required_values(const Program& program, const std::function<bool(const Node&)>& is_meant) {
  if (program.nodes.empty()) return {};
  Values values = Requirement(program, is_meant).of(0);
  std::ranges::sort(values);
  auto rest = std::ranges::unique(values);
  values.erase(rest.begin(), rest.end());
  return values;
}

}  // namespace waylay::match
