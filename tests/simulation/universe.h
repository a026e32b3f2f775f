// What the conversations of one seed share: a clock, the rules (which change under them), certificates, and the record
// of what the flows said of themselves. Everything in it is made anew for each seed, but for two authorities.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "flow/flow.h"
#include "simulation/chance.h"
#include "tls/ca.h"

namespace waylay::simulation {

class Universe final : private flow::Recorder {
 public:
  explicit Universe(uint64_t seed);

  Chance chance;
  Time now{1'000 * kSecond_ns, 0};
  flow::Identifiers identifiers;

  flow::Environment& environment() { return *environment_; }
  std::shared_ptr<const tls::Leaf> origin_leaf(X509* mirror = nullptr);
  std::shared_ptr<const tls::Leaf> our_leaf(const std::string& name, X509* mirror);
  const tls::ClientContext& origin_context() const { return origin_context_; }
  const tls::UpstreamContext& client_context(bool trusts_us) const { return trusts_us ? trusting_ : untrusting_; }

  void change_rules();
  // That client has refused our certificate before.
  void distrust(const flow::FlowFacts& client, const std::string& name);
  // Whether a rule in force now or earlier ends exchanges in a way that a client sees as an accident.
  bool rules_break() const { return rules_break_; }
  // Bytes that rules let one side be ahead of the other: what is dropped, or held until a rule has seen all of it.
  size_t most_held() const { return most_held_; }

  // What was recorded of a flow.
  std::vector<std::shared_ptr<const flow::ExchangeFacts>> recorded(uint64_t flow) const;
  std::string how_exchanges_ended(uint64_t flow) const;

 private:
  struct Authorities;
  static const Authorities& authorities();

  void flow_changed(const std::shared_ptr<const flow::FlowFacts>&) override {}
  void exchange_ended(const flow::ExchangeFacts& facts) override;

  std::unique_ptr<tls::LeafMinter> origin_minter_, our_minter_;
  std::map<std::string, std::shared_ptr<const tls::Leaf>> leaves_;
  tls::ClientContext origin_context_, client_side_;
  tls::UpstreamContext upstream_side_, trusting_, untrusting_;
  rules::RuleBook rules_;
  flow::Rejections rejections_;
  flow::UpstreamProtocols protocols_;
  std::vector<std::byte> scratch_;
  std::unique_ptr<flow::Environment> environment_;
  std::multimap<uint64_t, std::shared_ptr<const flow::ExchangeFacts>> recorded_;  // by flow
  std::set<uint64_t> exchange_ids_;
  const bool rules_may_break_, rules_may_hold_;
  bool rules_break_ = false;
  size_t most_held_ = 0;
};

// Ends the run with the seed and what went wrong: the rest of it would only hide the cause.
[[noreturn]] void found(const std::string& what);
void name_the_seed(uint64_t seed);

}  // namespace waylay::simulation
