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
  Result<std::vector<std::string>> add_rules(std::string_view json, std::string_view origin) override;
  Result<std::vector<std::string>> replace_rules(std::string_view json, std::string_view origin) override;
  Result<void> remove_rule(std::string_view name) override;
  size_t remove_all_rules() override;
  std::string lint() const override;
  Result<std::string> lint(std::string_view json, std::string_view origin) const override;
  bool faults() const override;
  void switch_faults(bool on) override;

 private:
  proxy::Proxy& proxy_;
};

}  // namespace waylay::control
