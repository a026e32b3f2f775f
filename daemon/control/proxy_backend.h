// What the API is told, taken from the running proxy: its targets, its store, its rules.
#pragma once

#include "control/backend.h"
#include "proxy/proxy.h"

namespace waylay::control {

class ProxyBackend final : public Backend {
 public:
  explicit ProxyBackend(proxy::Proxy& proxy) : proxy_(proxy) {}

  Status status() const override;
  Flows flows(const match::Expression& match, size_t limit, bool undecrypted) const override;
  std::shared_ptr<const flow::FlowFacts> flow(uint64_t id) const override;
  Exchanges exchanges(const match::Expression& match, size_t limit) const override;
  std::shared_ptr<const flow::ExchangeFacts> exchange(uint64_t id) const override;
  std::string retries(const match::Expression& match, size_t limit) const override;
  std::string metrics() const override;
  std::string rules() const override;
  Result<Names> add_rules(Documents documents, const rules::By& by) override;
  Result<Names> replace_rules(Documents documents, const rules::By& by) override;
  Result<void> remove_rule(std::string_view name, const rules::By& by) override;
  size_t remove_all_rules(const rules::By& by) override;
  Result<size_t> reload_rules(const rules::By& by) override;
  std::string rules_history() const override;
  Result<std::string> rules_difference() const override;
  Result<std::string> rules_difference(uint64_t from, uint64_t to) const override;
  Result<std::string> rules_difference(Documents documents) const override;
  Result<std::string> rollback_rules(uint64_t version, const rules::By& by) override;
  std::string rule_groups(rules::Source source) const override;
  Result<Names> begin_rule_group(rules::Source source, std::string_view name, Documents documents,
                                 const rules::By& by) override;
  Result<size_t> end_rule_group(rules::Source source, std::string_view name, const rules::By& by) override;
  Result<std::unique_ptr<Trial>> try_rules(Documents documents) const override;
  std::string lint() const override;
  Result<std::string> lint(Documents documents) const override;
  bool faults() const override;
  void switch_faults(bool on, const rules::By& by) override;

 private:
  proxy::Proxy& proxy_;
};

}  // namespace waylay::control
