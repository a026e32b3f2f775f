#include "control/proxy_backend.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "control/render.h"
#include "flow/subject.h"
#include "record/dry_run.h"
#include "record/json.h"
#include "rules/lint.h"

namespace waylay::control {
namespace {

std::vector<Count> of_hooks(const kernel::TargetCounters& hooks) {
  return {{"seen", hooks.seen},
          {"redirected", hooks.redirected},
          {"bypassed_earlier", hooks.bypassed_earlier},
          {"bypassed_device", hooks.bypassed_device},
          {"bypassed_no_route", hooks.bypassed_no_route},
          {"bypassed_loopback", hooks.bypassed_loopback},
          {"bypassed_link_local", hooks.bypassed_link_local},
          {"bypassed_other_netns", hooks.bypassed_other_netns},
          {"bypassed_excluded_process", hooks.bypassed_excluded_process},
          {"not_target_process", hooks.not_target_process},
          {"map_full", hooks.map_full},
          {"unlisted", hooks.unlisted},
          {"udp_refused", hooks.udp_refused}};
}

std::vector<Count> of_connections(const proxy::TargetCounts& counts) {
  return {{"accepted", counts.accepted}, {"intercepted", counts.intercepted}, {"passed_through", counts.passed_through},
          {"failed", counts.failed},     {"unknown", counts.unknown},         {"open", counts.open}};
}

TargetStatus of_target(const proxy::TargetStatus& target, const std::string& listen) {
  TargetStatus status;
  status.id = target.id;
  status.name = target.id == 0 ? "listen:" + listen : target.info.name;
  status.attached = target.attached;
  status.ended = target.ended;
  status.attached_ns = target.info.attached_ns;
  status.ended_ns = target.ended_ns;
  status.container_id = target.info.container_id;
  status.container_name = target.info.container_name;
  status.container_image = target.info.container_image;
  status.ports = target.info.ports;
  status.insist = target.info.insist;
  status.trust = target.info.trust;
  if (target.id != 0) status.kernel = of_hooks(target.hooks);
  status.connections = of_connections(target.counts);
  return status;
}

// Why the connections still on record were not decrypted, by target, the most frequent first.
std::map<uint32_t, std::vector<Count>> reasons_of(const Flows& flows) {
  std::map<uint32_t, std::map<std::string, uint64_t>> counted;
  for (const auto& flow : flows) ++counted[flow->target][flow->reason];
  std::map<uint32_t, std::vector<Count>> reasons;
  for (const auto& [target, by_reason] : counted) {
    std::vector<Count>& list = reasons[target];
    for (const auto& [reason, count] : by_reason) list.push_back({reason, count});
    std::ranges::sort(
        list, [](const Count& a, const Count& b) { return std::tie(b.value, a.name) < std::tie(a.value, b.name); });
    if (list.size() > 10) list.resize(10);
  }
  return reasons;
}

bool has_match(const record::Store& store, const record::Invocation& invocation, const match::Expression& match) {
  return std::ranges::any_of(invocation.attempts, [&](const record::Attempt& attempt) {
    std::shared_ptr<const flow::ExchangeFacts> exchange = store.exchange(attempt.exchange);
    return exchange && match.matches(flow::Subject(*exchange));
  });
}

class TrialOf final : public Trial {
 public:
  explicit TrialOf(record::DryRun run) : run_(std::move(run)) {}
  void see(const flow::ExchangeFacts& exchange) override { run_.see(exchange); }
  void lost(uint64_t exchanges) override { run_.lost(exchanges); }
  std::string report() const override { return run_.to_json(); }

 private:
  record::DryRun run_;
};

}  // namespace

Status ProxyBackend::status() const {
  Status status;
  record::Store::Totals totals = proxy_.store().totals();
  status.started_ns = proxy_.started_ns();
  status.workers = proxy_.start_info().workers;
  status.listen = proxy_.start_info().listen_address;
  std::shared_ptr<const rules::RuleSet> rules = proxy_.rules().current();
  status.rules = rules->rules().size();
  status.rules_version = rules->version();
  status.faults = rules->faults();
  status.exchanges_kept = totals.exchanges_held;
  status.exchanges_dropped = totals.exchanges_dropped;
  status.bytes_kept = totals.exchange_bytes_held;
  status.learned_refusals = proxy_.learned_refusals();
  std::map<uint32_t, std::vector<Count>> reasons = reasons_of(flows(match::Expression(), SIZE_MAX, true));
  for (const proxy::TargetStatus& target : proxy_.targets()) {
    status.targets.push_back(of_target(target, status.listen));
    status.targets.back().reasons = reasons[target.id];
  }
  return status;
}

Flows ProxyBackend::flows(const match::Expression& match, size_t limit, bool undecrypted) const {
  if (!undecrypted) return proxy_.store().flows(match, limit);
  Flows found = proxy_.store().flows(match, SIZE_MAX);
  std::erase_if(found, [](const auto& flow) { return !is_undecrypted(*flow); });
  if (found.size() > limit) found.erase(found.begin(), found.end() - static_cast<ptrdiff_t>(limit));
  return found;
}

std::shared_ptr<const flow::FlowFacts> ProxyBackend::flow(uint64_t id) const {
  return proxy_.store().flow(id);
}

Exchanges ProxyBackend::exchanges(const match::Expression& match, size_t limit) const {
  return proxy_.store().exchanges(match, limit);
}

std::shared_ptr<const flow::ExchangeFacts> ProxyBackend::exchange(uint64_t id) const {
  return proxy_.store().exchange(id);
}

std::string ProxyBackend::retries(const match::Expression& match, size_t limit) const {
  std::vector<record::Invocation> invocations = proxy_.store().invocations();
  if (!match.text().empty())
    std::erase_if(invocations, [&](const auto& each) { return !has_match(proxy_.store(), each, match); });
  if (invocations.size() > limit)
    invocations.erase(invocations.begin(), invocations.end() - static_cast<ptrdiff_t>(limit));
  return to_text(record::retries_json(invocations, now()));
}

std::string ProxyBackend::metrics() const {
  return proxy_.store().metrics();
}
std::string ProxyBackend::rules() const {
  return proxy_.rules().to_json(now());
}

Result<Names> ProxyBackend::add_rules(Documents documents, const rules::By& by) {
  return proxy_.rules().add(documents, by);
}
Result<Names> ProxyBackend::replace_rules(Documents documents, const rules::By& by) {
  return proxy_.rules().replace(documents, by);
}
Result<void> ProxyBackend::remove_rule(std::string_view name, const rules::By& by) {
  return proxy_.rules().remove(name, by);
}
size_t ProxyBackend::remove_all_rules(const rules::By& by) {
  return proxy_.rules().remove_all(by);
}

Result<size_t> ProxyBackend::reload_rules(const rules::By& by) {
  return proxy_.rules().load_directory(proxy_.start_info().rules_directory, by);
}
std::string ProxyBackend::rules_history() const {
  return proxy_.rules().history_to_json();
}
Result<std::string> ProxyBackend::rules_difference() const {
  return proxy_.rules().difference_of_directory(proxy_.start_info().rules_directory);
}
Result<std::string> ProxyBackend::rules_difference(uint64_t from, uint64_t to) const {
  return proxy_.rules().difference(from, to);
}
Result<std::string> ProxyBackend::rules_difference(Documents documents) const {
  return proxy_.rules().difference(documents);
}
Result<std::string> ProxyBackend::rollback_rules(uint64_t version, const rules::By& by) {
  return proxy_.rules().rollback(version, by);
}

std::string ProxyBackend::rule_groups(rules::Source source) const {
  return proxy_.rules().groups_to_json(source, now());
}
Result<Names> ProxyBackend::begin_rule_group(rules::Source source, std::string_view name, Documents documents,
                                             const rules::By& by) {
  return proxy_.rules().begin_group(source, name, documents, by);
}
Result<size_t> ProxyBackend::end_rule_group(rules::Source source, std::string_view name, const rules::By& by) {
  return proxy_.rules().end_group(source, name, by);
}

Result<std::unique_ptr<Trial>> ProxyBackend::try_rules(Documents documents) const {
  Result<record::DryRun> run = record::DryRun::of(documents, now());
  if (!run) return fail(run);
  return std::unique_ptr<Trial>(new TrialOf(std::move(*run)));
}

std::string ProxyBackend::lint() const {
  return rules::to_json(rules::lint(proxy_.rules().current()->rules()));
}

Result<std::string> ProxyBackend::lint(Documents documents) const {
  Result<std::vector<rules::Warning>> warnings = rules::lint(documents);
  if (!warnings) return fail(warnings);
  return rules::to_json(*warnings);
}

bool ProxyBackend::faults() const {
  return proxy_.rules().faults();
}
void ProxyBackend::switch_faults(bool on, const rules::By& by) {
  proxy_.rules().switch_faults(on, by);
}

}  // namespace waylay::control
