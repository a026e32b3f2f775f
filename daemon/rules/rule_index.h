// Which of many rules may match a subject, so that only those are evaluated: a rule whose match requires one of some
// values of a field is found by that value, and each by the field that tells it from most of the others. Built once;
// looking up allocates nothing.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "match/expression.h"

namespace waylay::rules {

class RuleIndex {
 public:
  // Fields whose values tell rules apart; http.host stands for the SNI too, as Expression::hosts() does.
  static constexpr std::array kFields = {
      match::Field::HttpHost,     match::Field::HttpRequestUriPath, match::Field::HttpRequestUri,
      match::Field::AwsOperation, match::Field::AwsBucket,          match::Field::AwsTable,
      match::Field::AwsService,   match::Field::ContainerName,      match::Field::HttpRequestMethod};

  struct Row {
    uint32_t rule;
    const match::Expression* match;  // outlives the index
  };
  RuleIndex() = default;
  // Rows in the order of their numbers. `fields`, some of kFields, are those that are known when it is asked.
  explicit RuleIndex(std::span<const Row> rows, std::span<const match::Field> fields = kFields);

  bool empty() const { return any_.empty() && !keyed_; }
  bool may_match(const match::Subject& subject) const { return !empty() && !Cursors(*this, subject).done(); }

  // Calls visit(rule) for those that may match, each once, in the order of their numbers, until it returns false.
  template <class Visit>
  void visit(const match::Subject& subject, Visit visit) const {
    if (empty()) return;
    for (Cursors cursors(*this, subject); !cursors.done();)
      if (!visit(cursors.take())) return;
  }

 private:
  using Rules = std::vector<uint32_t>;
  // Host names ignore case; in the others case may be ignored too, since who is found is evaluated.
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const;
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const;
  };
  using Lists = std::unordered_map<std::string, Rules, Hash, Equal>;

  class Cursors {  // merges the lists that the subject's values name
   public:
    Cursors(const RuleIndex& index, const match::Subject& subject);
    bool done() const { return count_ == 0; }
    uint32_t take();

   private:
    void add(std::span<const uint32_t> list);
    void look_up(const Lists& lists, const match::Subject& subject, match::Field field);
    std::array<std::span<const uint32_t>, kFields.size() + 2> rest_;  // and the SNI's, and those for any value
    size_t count_ = 0;
  };

  static std::vector<std::string> required(const match::Expression& match, match::Field field);

  std::array<Lists, kFields.size()> by_field_;
  Rules any_;
  bool keyed_ = false;  // by_field_ has some
};

}  // namespace waylay::rules
