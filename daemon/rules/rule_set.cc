#include "rules/rule_set.h"

#include <algorithm>

#include "rules/rule.h"

namespace waylay::rules {
namespace {

using match::Moment;
using match::Truth;

// What exceeds a rate is the exception: most exchanges need their upstream.
bool can_answer_at_request(const Rule& rule) {
  return rule.actions().answers() && !rule.limits().rate && rule.acts_at() >= Moment::Request &&
         rule.acts_at() < Moment::Response;
}

// Also one that acts later, but for whose match, templates or handler the body must have been seen by then.
bool reads_request_body(const Rule& rule) {
  if (rule.acts_at() <= Moment::RequestBody) return rule.acts_at() == Moment::RequestBody;
  auto is_of_body = [](match::Field field) { return match::info(field).moment == Moment::RequestBody; };
  return rule.actions().handler || rule.match().asks_at(Moment::RequestBody) ||
         std::ranges::any_of(rule.actions().template_fields(), is_of_body);
}

}  // namespace

RuleSet::RuleSet(RuleList rules, uint64_t version, bool faults)
    : rules_(std::move(rules)), version_(version), faults_(faults) {
  std::array<std::vector<RuleIndex::Row>, std::tuple_size_v<decltype(at_)>> rows;
  std::vector<RuleIndex::Row> answering, reading;
  for (uint32_t i = 0; i < rules_.size(); ++i) {
    const Rule& rule = *rules_[i];
    if (!rule.enabled() || (!faults_ && rule.actions().injects())) continue;
    RuleIndex::Row row{i, &rule.match()};
    rows[static_cast<size_t>(rule.acts_at())].push_back(row);
    if (can_answer_at_request(rule)) answering.push_back(row);
    if (reads_request_body(rule)) reading.push_back(row);
  }
  for (size_t i = 0; i < at_.size(); ++i) at_[i] = RuleIndex(rows[i]);
  for (const RuleIndex::Row& row : answering) answering_.push_back(row.rule);
  reading_request_body_ = RuleIndex(reading);
  answering_by_name_ = RuleIndex(answering, std::array{match::Field::HttpHost});
}

bool RuleSet::may_want(const match::Subject& subject, Moment head) const {
  size_t now = static_cast<size_t>(head);
  if (at_[now].may_match(subject) || at_[now + 1].may_match(subject)) return true;
  return head == Moment::Request && reading_request_body_.may_match(subject);
}

Plan RuleSet::plan(const match::Subject& subject, Moment now, const aws::Call& call, const http::Head& request,
                   Time time) const {
  Plan plan;
  Rule::Occasion occasion{subject, call, request, time};
  at_[static_cast<size_t>(now)].visit(subject, [&](uint32_t i) {
    const Rule& rule = *rules_[i];
    std::optional<Tally::Use> use = rule.take(subject, now, call.attempt, time);
    if (use) rule.apply(plan, occasion, *use);
    return !use || !rule.actions().answers();
  });
  return plan;
}

ConnectionPlan RuleSet::plan_connection(const match::Subject& subject, Time time) const {
  ConnectionPlan plan;
  at_[static_cast<size_t>(Moment::Hello)].visit(subject, [&](uint32_t i) {
    const Rule& rule = *rules_[i];
    std::optional<Tally::Use> use = rule.take(subject, Moment::Hello, 0, time);
    if (use) rule.apply(plan, *use);
    return !plan.passthrough && !plan.block;
  });
  return plan;
}

bool RuleSet::wants_body(const match::Subject& subject, Moment body, Time time) const {
  bool wants = false;
  auto head = static_cast<Moment>(static_cast<uint8_t>(body) - 1);
  auto ask = [&](uint32_t i) {
    const Rule& rule = *rules_[i];
    wants = !rule.tally().is_over(time) && rule.match().evaluate(subject, head) != Truth::No;
    return !wants;
  };
  const RuleIndex& asked = body == Moment::RequestBody ? reading_request_body_ : at_[static_cast<size_t>(body)];
  asked.visit(subject, ask);
  return wants;
}

// A rule for certain hosts is tied to the SNI here: a client that names another host inside the connection is rare, and
// then all that is lost is that its upstream must be reachable.
bool RuleSet::may_answer(const match::Subject& subject, Time time) const {
  bool may = false;
  auto ask = [&](uint32_t i) {
    const Rule& rule = *rules_[i];
    may = !rule.tally().is_over(time) && rule.match().evaluate(subject, Moment::Hello) != Truth::No;
    return !may;
  };
  bool has_name = !std::holds_alternative<std::monostate>(subject.value(match::Field::TlsServerName, {}));
  if (has_name) {
    answering_by_name_.visit(subject, ask);
  } else {
    (void)std::ranges::all_of(answering_, ask);
  }
  return may;
}

}  // namespace waylay::rules
