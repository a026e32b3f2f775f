#include "rules/rule_set.h"

#include <algorithm>

#include "base/bytes.h"
#include "rules/rule.h"

namespace waylay::rules {
namespace {

std::string lowered_text(const match::Subject& subject, match::Field field) {
  match::Value value = subject.value(field, {});
  const auto* text = std::get_if<std::string_view>(&value);
  return text ? to_lower(*text) : std::string();
}

bool can_answer_at_request(const Rule& rule) {
  return rule.enabled() && rule.actions().answers() && rule.acts_at() == match::Moment::Request;
}

}  // namespace

RuleSet::RuleSet(RuleList rules, uint64_t version, bool faults)
    : rules_(std::move(rules)), version_(version), faults_(faults) {
  for (uint32_t i = 0; i < rules_.size(); ++i) {
    const Rule& rule = *rules_[i];
    if (!rule.enabled() || (!faults_ && rule.actions().injects())) continue;
    Index& index = rule.acts_at() == match::Moment::Response ? at_response_ : at_request_;
    index.insert(i, rule.match().hosts());
    if (can_answer_at_request(rule)) answering_.push_back(i);
  }
}

void RuleSet::Index::insert(uint32_t rule, const std::vector<std::string>& hosts) {
  if (hosts.empty()) return for_any_host.push_back(rule);
  for (const std::string& host : hosts) by_host[host].push_back(rule);
}

// In the set's order, each once. A rule that needs a host is found by the request's or by the SNI's.
std::vector<uint32_t> RuleSet::Index::candidates(const match::Subject& subject) const {
  std::vector<uint32_t> found = for_any_host;
  if (by_host.empty()) return found;
  std::string host = lowered_text(subject, match::Field::HttpHost);
  std::string names[] = {std::string(match::host_without_port(host)),
                         lowered_text(subject, match::Field::TlsServerName)};
  for (const std::string& name : names)
    if (auto row = by_host.find(name); row != by_host.end())
      found.insert(found.end(), row->second.begin(), row->second.end());
  std::ranges::sort(found);
  auto rest = std::ranges::unique(found);
  found.erase(rest.begin(), rest.end());
  return found;
}

Plan RuleSet::plan(const match::Subject& subject, match::Moment now, const aws::Call& call, const http::Head& request,
                   Time time) const {
  Plan plan;
  const Index& index = now == match::Moment::Response ? at_response_ : at_request_;
  if (index.empty()) return plan;
  for (uint32_t i : index.candidates(subject)) {
    const Rule& rule = *rules_[i];
    if (rule.match().evaluate(subject, now) != match::Truth::Yes || !rule.tally().take(call.attempt, time)) continue;
    rule.apply(plan, call, request, time);
    if (rule.actions().answers()) break;
  }
  return plan;
}

// A rule for certain hosts is tied to the SNI here: a client that names another host inside the connection is rare, and
// then all that is lost is that its upstream must be reachable.
bool RuleSet::may_answer(const match::Subject& subject, Time time) const {
  if (answering_.empty()) return false;
  std::string server_name = lowered_text(subject, match::Field::TlsServerName);
  return std::ranges::any_of(answering_, [&](uint32_t i) {
    const Rule& rule = *rules_[i];
    const std::vector<std::string>& hosts = rule.match().hosts();
    bool elsewhere = !server_name.empty() && !hosts.empty() && !std::ranges::binary_search(hosts, server_name);
    return !elsewhere && !rule.tally().is_over(time) &&
           rule.match().evaluate(subject, match::Moment::Hello) != match::Truth::No;
  });
}

}  // namespace waylay::rules
