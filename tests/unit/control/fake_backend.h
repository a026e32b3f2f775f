// A daemon without a daemon: what the API's tests and its fuzzer ask.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "control/backend.h"
#include "flow/subject.h"

namespace waylay::control {

class FakeBackend final : public Backend {
 public:
  Exchanges kept_exchanges;
  Flows kept_flows;
  std::vector<std::string> rule_names;
  std::string last_origin, last_json, last_by;
  std::vector<std::string> groups;  // "hold 1"
  bool faults_on = true;
  std::string kept_retries = "{\"summary\":[],\"findings\":[],\"invocations\":[]}";

  void add_exchange(uint64_t id, std::string_view host, int status, std::string_view extra_fields = "") {
    auto flow = std::make_shared<flow::FlowFacts>();
    flow->id = 100 + id;
    flow->target_name = "docker:web";
    flow->owner = {
        .pid = 42, .comm = "python3", .exe = "/usr/bin/python3", .container_id = "c0ffee", .container_name = "web"};
    flow->server_name = host;
    flow->outcome = flow::Outcome::Intercepted;
    flow->exchanges = 1;
    flow->opened = {static_cast<int64_t>(id) * kSecond_ns, (1'700'000'000 + static_cast<int64_t>(id)) * kSecond_ns};
    auto exchange = std::make_shared<flow::ExchangeFacts>();
    exchange->id = id;
    exchange->flow = flow;
    exchange->started = {static_cast<int64_t>(id) * kSecond_ns,
                         (1'700'000'000 + static_cast<int64_t>(id)) * kSecond_ns};
    exchange->ended = {exchange->started.steady_ns + 12 * kMillisecond_ns, exchange->started.wall_ns};
    exchange->host = host;
    exchange->target = "/path";
    exchange->status = exchange->upstream_status = status;
    exchange->end = flow::ExchangeEnd::Complete;
    exchange->request = *http::Head::parse(
        http::Kind::Request,
        "GET /path HTTP/1.1\r\nHost: " + std::string(host) + "\r\n" + std::string(extra_fields) + "\r\n", Side::Client);
    exchange->response = http::Head::response(status, http::default_reason(status));
    kept_flows.push_back(flow);
    kept_exchanges.push_back(exchange);
  }

  void add_passthrough(uint64_t id, std::string_view name, std::string_view reason, int64_t second) {
    auto flow = std::make_shared<flow::FlowFacts>();
    flow->id = id;
    flow->server_name = name;
    flow->opened = {second * kSecond_ns, (1'700'000'000 + second) * kSecond_ns};
    flow->outcome = flow::Outcome::PassedThrough;
    flow->reason = reason;
    kept_flows.push_back(flow);
  }

  Status status() const override {
    Status status;
    status.started_ns = 1'700'000'000 * kSecond_ns;
    status.workers = 2;
    TargetStatus target;
    target.id = 1;
    target.name = "docker:web";
    target.container_name = "web";
    target.kernel = {{"redirected", 7}, {"bypassed", 1}};
    target.connections = {{"accepted", 7}, {"passed_through", 2}};
    target.reasons = {{"the client refused our certificate", 2}};
    status.targets.push_back(target);
    return status;
  }

  Flows flows(const match::Expression& match, size_t limit, bool undecrypted) const override {
    Flows found;
    for (const auto& flow : kept_flows)
      if ((!undecrypted || is_undecrypted(*flow)) && match.matches(flow::Subject(*flow))) found.push_back(flow);
    if (found.size() > limit) found.erase(found.begin(), found.end() - static_cast<ptrdiff_t>(limit));
    return found;
  }
  std::shared_ptr<const flow::FlowFacts> flow(uint64_t id) const override {
    auto found = std::ranges::find_if(kept_flows, [id](const auto& flow) { return flow->id == id; });
    return found == kept_flows.end() ? nullptr : *found;
  }
  Exchanges exchanges(const match::Expression& match, size_t limit) const override {
    Exchanges found;
    for (const auto& exchange : kept_exchanges)
      if (match.matches(flow::Subject(*exchange))) found.push_back(exchange);
    if (found.size() > limit) found.erase(found.begin(), found.end() - static_cast<ptrdiff_t>(limit));
    return found;
  }
  std::shared_ptr<const flow::ExchangeFacts> exchange(uint64_t id) const override {
    auto found = std::ranges::find_if(kept_exchanges, [id](const auto& exchange) { return exchange->id == id; });
    return found == kept_exchanges.end() ? nullptr : *found;
  }

  std::string retries(const match::Expression&, size_t) const override { return kept_retries; }
  std::string metrics() const override { return "waylay_exchanges_total 3\n"; }

  std::string rules() const override {
    std::string json = "[";
    for (const std::string& name : rule_names) json += (json.size() > 1 ? ",\"" : "\"") + name + "\"";
    return json + "]";
  }
  Result<Names> add_rules(Documents documents, const rules::By& by) override {
    last_by = by.who;
    for (const rules::Document& document : documents) {
      last_origin = document.origin;
      last_json = document.json;
      if (document.json.find("bad") != std::string_view::npos)
        return fail(Error::local(ErrorKind::Invalid, last_origin + ": line 2, column 11: a comma too many"));
    }
    rule_names.emplace_back("new");
    return Names{"new"};
  }
  Result<Names> replace_rules(Documents documents, const rules::By& by) override {
    rule_names.clear();
    return add_rules(documents, by);
  }
  Result<void> remove_rule(std::string_view name, const rules::By&) override {
    if (std::erase(rule_names, std::string(name)) > 0) return {};
    return fail(Error::local(ErrorKind::NotFound, "there is no rule \"" + std::string(name) + "\""));
  }
  size_t remove_all_rules(const rules::By&) override { return std::exchange(rule_names, {}).size(); }
  Result<size_t> reload_rules(const rules::By& by) override {
    last_by = by.who;
    return 3;
  }
  std::string rules_history() const override { return R"([{"version":2}])"; }
  Result<std::string> rules_difference() const override { return R"({"of":"rules.d"})"; }
  Result<std::string> rules_difference(uint64_t from, uint64_t to) const override {
    return "{\"from\":" + std::to_string(from) + ",\"to\":" + std::to_string(to) + "}";
  }
  Result<std::string> rules_difference(Documents documents) const override {
    return "{\"of\":\"" + std::string(documents[0].origin) + "\"}";
  }
  Result<std::string> rollback_rules(uint64_t version, const rules::By&) override {
    if (version == 2) return "removed slow";
    return fail(Error::local(ErrorKind::NotFound, "there is no version " + std::to_string(version)));
  }
  std::string rule_groups(rules::Source) const override {
    std::string json = "[";
    for (const auto& group : groups) json += (json.size() > 1 ? ",\"" : "\"") + group + "\"";
    return json + "]";
  }
  Result<Names> begin_rule_group(rules::Source source, std::string_view name, Documents documents,
                                 const rules::By& by) override {
    Result<Names> names = add_rules(documents, by);
    if (names) groups.push_back(std::string(to_string(source)) + " " + std::string(name));
    return names;
  }
  Result<size_t> end_rule_group(rules::Source source, std::string_view name, const rules::By&) override {
    size_t ended = std::erase(groups, std::string(to_string(source)) + " " + std::string(name));
    if (ended > 0) return ended;
    return fail(Error::local(ErrorKind::NotFound, "no such group"));
  }
  struct FakeTrial final : Trial {
    uint64_t seen = 0, missed = 0;
    void see(const flow::ExchangeFacts&) override { ++seen; }
    void lost(uint64_t exchanges) override { missed += exchanges; }
    std::string report() const override {
      return "{\"seen\":" + std::to_string(seen) + ",\"lost\":" + std::to_string(missed) + "}";
    }
  };
  Result<std::unique_ptr<Trial>> try_rules(Documents) const override {
    return std::unique_ptr<Trial>(std::make_unique<FakeTrial>());
  }
  std::string lint() const override { return R"([{"kind":"bare-429"}])"; }
  Result<std::string> lint(Documents documents) const override {
    for (const rules::Document& document : documents)
      if (document.json.find("bad") != std::string_view::npos)
        return fail(Error::local(ErrorKind::Invalid, std::string(document.origin) + ": bad"));
    return "[]";
  }
  bool faults() const override { return faults_on; }
  void switch_faults(bool on, const rules::By&) override { faults_on = on; }
};

}  // namespace waylay::control
