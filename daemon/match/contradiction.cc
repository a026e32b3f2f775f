#include "match/contradiction.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "match/parser.h"

namespace waylay::match {
namespace {

struct Interval {
  int64_t low = std::numeric_limits<int64_t>::min(), high = std::numeric_limits<int64_t>::max();
  void intersect(const Interval& other) {
    low = std::max(low, other.low);
    high = std::min(high, other.high);
  }
  bool empty() const { return low > high; }
};

// What values the field can have at all.
Interval domain_of(Field field) {
  if (field == Field::HttpResponseCode) return {100, 599};
  if (field == Field::AwsAttempt || field == Field::AwsMaxAttempts) return {.low = 1};
  if (field == Field::TcpDestinationPort || field == Field::TcpSourcePort) return {0, 65535};
  return {};
}

std::optional<Interval> interval_of(Operator compare, int64_t value) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min(), kMost = std::numeric_limits<int64_t>::max();
  switch (compare) {
    case Operator::Equal:
      return Interval{value, value};
    case Operator::Less:
      return value == kLeast ? Interval{1, 0} : Interval{kLeast, value - 1};
    case Operator::LessOrEqual:
      return Interval{kLeast, value};
    case Operator::Greater:
      return value == kMost ? Interval{1, 0} : Interval{value + 1, kMost};
    case Operator::GreaterOrEqual:
      return Interval{value, kMost};
    default:
      return std::nullopt;
  }
}

// The conditions that must all hold, gathered by field.
class Conditions {
 public:
  explicit Conditions(const Program& program) : program_(program) {}

  void gather(size_t index) {
    const Node& node = program_.nodes[index];
    if (node.kind == NodeKind::All) {
      for (size_t child = index + 1; child < index + node.size; child += program_.nodes[child].size) gather(child);
    } else if ((node.kind == NodeKind::Compare || node.kind == NodeKind::In) && !info(node.field).repeated) {
      take_number(node);
      take_text(node);
    }
  }

  bool contradict() const {
    return std::ranges::any_of(numbers_, [](const auto& each) { return each.second.empty(); }) ||
           std::ranges::any_of(texts_, [](const auto& each) { return each.second.empty(); });
  }

 private:
  using Asked = std::pair<Field, uint32_t>;  // with its key

  void take_number(const Node& node) {
    Interval all{1, 0};
    for (uint32_t i = 0; i < std::max(node.operands, 1u); ++i) {
      const auto* range = operand<NumberRange>(node, i);
      if (!range) return;
      all = i == 0 ? Interval{range->low, range->high}
                   : Interval{std::min(all.low, range->low), std::max(all.high, range->high)};
    }
    std::optional<Interval> wanted = node.kind == NodeKind::In ? all : interval_of(node.compare, all.low);
    if (!wanted) return;
    auto [known, is_new] = numbers_.emplace(Asked{node.field, node.key}, domain_of(node.field));
    known->second.intersect(*wanted);
  }

  void take_text(const Node& node) {
    if (node.kind == NodeKind::Compare && node.compare != Operator::Equal) return;
    std::set<std::string_view> wanted;
    for (uint32_t i = 0; i < std::max(node.operands, 1u); ++i) {
      const auto* text = operand<Text>(node, i);
      if (!text) return;
      wanted.insert(text->text);
    }
    auto [known, is_new] = texts_.emplace(Asked{node.field, node.key}, wanted);
    if (!is_new) std::erase_if(known->second, [&](std::string_view text) { return !wanted.contains(text); });
  }

  template <class T>
  const T* operand(const Node& node, uint32_t i) const {
    bool is_pattern = node.kind == NodeKind::Compare && node.compare == Operator::Matches;
    if (is_pattern || info(node.field).type == Type::Json) return nullptr;
    return std::get_if<T>(&program_.operands[node.operand + i]);
  }

  const Program& program_;
  std::map<Asked, Interval> numbers_;
  std::map<Asked, std::set<std::string_view>> texts_;
};

}  // namespace

bool is_contradiction(std::string_view text) {
  Source source(text);
  Program program;
  if (!source.check() || !parse(source, program) || program.nodes.empty()) return false;
  Conditions conditions(program);
  conditions.gather(0);
  return conditions.contradict();
}

}  // namespace waylay::match
