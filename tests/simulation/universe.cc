#include "simulation/universe.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/check.h"
#include "flow/paced_body.h"

namespace waylay::simulation {
namespace {

uint64_t seed_at_work = 0;

template <class T>
T must(Result<T> result) {
  if (!result) found("the simulation itself failed: " + result.error().message);
  return std::move(*result);
}

tls::CertificateAuthority make_authority(const std::string& host) {
  tls::CaOptions options;
  options.host = host;
  return must(tls::CertificateAuthority::make(options, waylay::now()));
}

tls::UpstreamContext trusting(const tls::CertificateAuthority& authority) {
  tls::UpstreamOptions options;
  options.use_system_roots = false;
  options.extra_roots_pem = must(authority.certificate_pem());
  return must(tls::UpstreamContext::create(options));
}

// The rest of an answer that a rule replaced is read and dropped, up to this.
constexpr size_t kDropped = 1024 * 1024;

struct RuleChoice {
  const char* json;
  bool breaks = false;
  size_t held = 0;  // bytes that one side may be ahead of the other by it
};
constexpr auto kRules = std::to_array<RuleChoice>({
    {R"([])"},
    {R"([{"name": "status", "match": "http.response.code == 200", "status": 429,
          "headers": {"set": {"X-Rule": "status"}}}])"},
    {R"([{"name": "edit", "match": "", "request_headers": {"add": {"X-Rule": "edit"}}},
         {"name": "mark", "match": "", "headers": {"add": {"X-Rule": "mark"}}}])"},
    {R"([{"name": "mock", "match": "http.request.uri matches \"e[13579]$\"", "every": 2,
          "respond": {"status": 200, "headers": {"X-Rule": "mock"}, "body": "mocked"}}])",
     false, kDropped},
    {R"([{"name": "swap", "match": "http.response.code == 404", "every": 2,
          "respond": {"status": 503, "headers": {"X-Rule": "mock"}, "body": "mocked"}}])",
     false, kDropped},
    {R"([{"name": "slow", "match": "http.request.method == \"GET\"", "delay": "20ms"}])"},
    {R"([{"name": "late", "match": "http.response.code == 200", "delay": "3s"}])"},
    {R"([{"name": "slowly", "match": "", "throttle": {"up": "300KiB", "down": "300KiB"}}])", false,
     flow::PacedBody::kMostHeld},
    {R"([{"name": "drops", "match": "http.response.code == 200", "chunk_delay": {"uniform": ["1ms", "9ms"]}}])", false,
     flow::PacedBody::kMostHeld},
    {R"([{"name": "collect", "match": "body.text contains \"never said\"", "status": 500},
         {"name": "look", "match": "response.body.text contains \"never said\"", "status": 500}])",
     false, flow::kMostCollected},
    {R"([{"name": "unchanged", "match": "", "body": {"regex": "never said", "with": "x"}},
         {"name": "unchanged-up", "match": "", "request_body": {"regex": "never said", "with": "x"}}])",
     false, flow::kMostCollected},
    {R"([{"name": "short", "match": "http.response.code == 500", "abort": {"how": "fin", "after_bytes": 100}},
         {"name": "shorter", "match": "http.response.code == 404", "abort": {"how": "rst", "after_bytes": 1000}}])",
     true},
    {R"([{"name": "stall", "match": "http.request.uri contains \"e3\"", "abort": {"how": "stall", "for": "5s"}}])",
     true},
    {R"([{"name": "cut", "match": "http.request.uri contains \"e2\"", "abort": "rst"}])", true},
    {R"([{"name": "last", "match": "http.request.uri contains \"e4\"", "abort": "goaway"}])", true},
    {R"([{"name": "away", "match": "http.request.uri contains \"e1\"", "upstream": {"host": "192.0.2.10", "port": 443}}])",
     true},
    {R"([{"name": "hook", "match": "http.request.uri matches \"e[048]$\"", "handler": {"url": "http://127.0.0.1:9000"}}])",
     false, flow::kMostCollected},
    {R"([{"name": "late-hook", "match": "http.request.uri matches \"e[048]$\"",
          "handler": {"url": "http://127.0.0.1:9000", "phase": "response"}}])",
     false, flow::kMostCollected},
});

}  // namespace

struct Universe::Authorities {
  tls::CertificateAuthority origin = make_authority("origin"), ours = make_authority("waylay");
};

// Dear to make, and the same for every seed and in every run.
const Universe::Authorities& Universe::authorities() {
  static const Authorities made = (seed_openssl(0), Authorities());
  return made;
}

Universe::Universe(uint64_t seed)
    : chance((authorities(), seed_openssl(seed), seed)),
      origin_minter_(must(tls::LeafMinter::create(must(authorities().origin.certificate_pem())))),
      our_minter_(must(tls::LeafMinter::create(must(authorities().ours.certificate_pem())))),
      origin_context_(must(tls::ClientContext::create(must(tls::TicketKeys::make(waylay::now()))))),
      client_side_(must(tls::ClientContext::create(must(tls::TicketKeys::make(waylay::now()))))),
      upstream_side_(trusting(authorities().origin)),
      trusting_(trusting(authorities().ours)),
      untrusting_(trusting(authorities().origin)),
      scratch_(17 * 1024),
      rules_may_break_(chance.one_in(2)),
      rules_may_hold_(chance.one_in(2)) {
  now.wall_ns = waylay::now().wall_ns;
  environment_ = std::make_unique<flow::Environment>(
      flow::Environment{client_side_, upstream_side_, rules_, rejections_, protocols_, *this, identifiers,
                        std::span<std::byte>(scratch_), chance.one_in(2)});
  change_rules();
}

std::shared_ptr<const tls::Leaf> Universe::origin_leaf(X509* mirror) {
  std::shared_ptr<const tls::Leaf>& leaf = leaves_["origin"];
  if (leaf) return leaf;
  tls::UnsignedLeaf prepared = must(origin_minter_->prepare({"origin.test", mirror}, waylay::now()));
  std::vector<std::byte> signature = must(authorities().origin.sign(prepared.tbs()));
  return leaf = must(origin_minter_->finish(std::move(prepared), signature));
}

std::shared_ptr<const tls::Leaf> Universe::our_leaf(const std::string& name, X509* mirror) {
  std::shared_ptr<const tls::Leaf>& leaf = leaves_[name + (mirror ? " mirrored" : "")];
  if (leaf) return leaf;
  tls::UnsignedLeaf prepared = must(our_minter_->prepare({name, mirror}, waylay::now()));
  std::vector<std::byte> signature = must(authorities().ours.sign(prepared.tbs()));
  return leaf = must(our_minter_->finish(std::move(prepared), signature));
}

// What such rules excuse is not looked at as long as they last: so half of all universes have none.
void Universe::change_rules() {
  const RuleChoice& choice = kRules[chance.below(kRules.size())];
  if ((choice.breaks && !rules_may_break_) || (choice.held > 0 && !rules_may_hold_)) return change_rules();
  must(rules_.replace(choice.json, "simulation", now));
  rules_break_ = rules_break_ || choice.breaks;
  most_held_ = std::max(most_held_, choice.held);
}

void Universe::distrust(const flow::FlowFacts& client, const std::string& name) {
  rejections_.learn({client.target, client.owner.pid, "", name}, "refused before", now);
}

void Universe::exchange_ended(const flow::ExchangeFacts& facts) {
  if (!exchange_ids_.insert(facts.id).second) found("an exchange was recorded twice");
  if (facts.end == flow::ExchangeEnd::Open) found("an exchange was recorded before its end");
  recorded_.emplace(facts.flow->id, std::make_shared<const flow::ExchangeFacts>(facts));
}

std::vector<std::shared_ptr<const flow::ExchangeFacts>> Universe::recorded(uint64_t flow) const {
  std::vector<std::shared_ptr<const flow::ExchangeFacts>> all;
  auto [first, last] = recorded_.equal_range(flow);
  for (auto row = first; row != last; ++row) all.push_back(row->second);
  return all;
}

std::string Universe::how_exchanges_ended(uint64_t flow) const {
  std::string out;
  auto [first, last] = recorded_.equal_range(flow);
  for (auto row = first; row != last; ++row) {
    const flow::ExchangeFacts& facts = *row->second;
    out += "\n  " + facts.target + " " + std::to_string(facts.status) + " " + std::string(to_string(facts.end)) +
           (facts.error.empty() ? "" : ": " + facts.error);
    for (const flow::AppliedRule& rule : facts.applied) out += " [" + rule.rule + "]";
  }
  return out;
}

void name_the_seed(uint64_t seed) {
  seed_at_work = seed;
}

void found(const std::string& what) {
  fprintf(stderr, "seed %llu: %s\nto see it again: simulation --seed %llu --verbose\n",
          static_cast<unsigned long long>(seed_at_work), what.c_str(), static_cast<unsigned long long>(seed_at_work));
  abort();
}

}  // namespace waylay::simulation
