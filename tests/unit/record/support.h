// Exchanges and flows as the workers hand them over, built up word by word. Times are milliseconds from a fixed noon.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "flow/facts.h"

namespace waylay::record {

constexpr int64_t kNoon_ns = 1'795'348'800 * kSecond_ns;  // 2026-11-22T12:00:00Z

constexpr Time at_ms(int64_t ms) {
  return {kSecond_ns + ms * kMillisecond_ns, kNoon_ns + ms * kMillisecond_ns};
}

inline flow::FlowFacts some_flow(uint64_t id = 1) {
  flow::FlowFacts flow;
  flow.id = id;
  flow.target = 7;
  flow.target_name = "docker:web";
  flow.owner.pid = 42;
  flow.owner.comm = "python3";
  flow.owner.container_id = "0123456789ab";
  flow.owner.container_name = "web";
  flow.client = Address::parse("10.0.0.2:50000").value();
  flow.destination = Address::parse("192.0.2.1:443").value();
  flow.server_name = "s3.eu-west-1.amazonaws.com";
  flow.opened = at_ms(0);
  flow.outcome = flow::Outcome::Intercepted;
  return flow;
}

// A GET of s3://bucket/key that took 10 ms and was answered with 200.
class Made {
 public:
  explicit Made(uint64_t id) {
    facts_.id = id;
    facts_.flow = std::make_shared<flow::FlowFacts>(some_flow());
    facts_.host = "s3.eu-west-1.amazonaws.com";
    facts_.target = "/bucket/key";
    facts_.request = http::Head::request("GET", "/bucket/key");
    facts_.call.service = "s3";
    facts_.call.operation = "GetObject";
    facts_.end = flow::ExchangeEnd::Complete;
    answered(200);
    at(0);
  }
  Made& at(int64_t start_ms, int64_t duration_ms = 10) {
    facts_.started = at_ms(start_ms);
    facts_.request_sent = at_ms(start_ms);
    facts_.ended = at_ms(start_ms + duration_ms);
    return *this;
  }
  Made& answered(int status) {  // by the upstream, passed on as it is
    facts_.status = facts_.upstream_status = status;
    facts_.response = http::Head::response(status, "x");
    return *this;
  }
  Made& injected(const std::string& rule, int status) {  // a fault in the upstream's place
    facts_.status = status;
    facts_.upstream_status = 0;
    facts_.applied.push_back({rule, "fault aws:slowdown", true});
    return *this;
  }
  Made& rewritten(const std::string& rule, int status) {  // of the upstream's 200
    facts_.status = status;
    facts_.applied.push_back({rule, "status " + std::to_string(status), true});
    return *this;
  }
  Made& delayed(const std::string& rule) {
    facts_.applied.push_back({rule, "delay 1s", true});
    return *this;
  }
  Made& ended(flow::ExchangeEnd end, std::string error = "") {
    facts_.end = end;
    facts_.status = facts_.upstream_status = 0;
    facts_.response.reset();
    facts_.error = std::move(error);
    return *this;
  }
  Made& invocation(const std::string& id, int attempt, int most = 0) {
    facts_.call.invocation_id = id;
    facts_.call.attempt = attempt;
    facts_.call.max_attempts = most;
    return *this;
  }
  Made& sdk(const std::string& name, const std::string& version, const std::string& mode = "") {
    facts_.call.sdk = name;
    facts_.call.sdk_version = version;
    facts_.call.retry_mode = mode;
    return *this;
  }
  Made& not_aws(const std::string& method, const std::string& target, uint64_t body = 0) {
    facts_.call = {};
    facts_.host = "api.example.org";
    facts_.request = http::Head::request(method, target);
    facts_.target = target;
    facts_.request_body = body;
    return *this;
  }
  Made& pid(uint32_t pid) {
    flow::FlowFacts flow = *facts_.flow;
    flow.owner.pid = pid;
    facts_.flow = std::make_shared<flow::FlowFacts>(flow);
    return *this;
  }
  Made& target(uint32_t target) {
    flow::FlowFacts flow = *facts_.flow;
    flow.target = target;
    facts_.flow = std::make_shared<flow::FlowFacts>(flow);
    return *this;
  }
  flow::ExchangeFacts& facts() { return facts_; }
  operator const flow::ExchangeFacts&() const { return facts_; }
  std::shared_ptr<const flow::ExchangeFacts> shared() const { return std::make_shared<flow::ExchangeFacts>(facts_); }

 private:
  flow::ExchangeFacts facts_;
};

}  // namespace waylay::record
