// Counters since the start, as Prometheus reads them (text exposition format 0.0.4). Not thread-safe: the Store locks.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "flow/facts.h"
#include "record/ledger.h"

namespace waylay::record {

class Metrics {
 public:
  using Named = std::vector<std::pair<std::string_view, uint64_t>>;

  void flow_closed(const flow::FlowFacts& flow);
  void exchange_ended(const flow::ExchangeFacts& exchange, Ledger::Role role);

  // `dropped`: by kind of record; `held`: what is kept now.
  std::string text(const Named& dropped, const Named& held) const;

 private:
  // A service's name comes from a client: past this many, new ones are counted together.
  static constexpr size_t kMostServices = 200;
  std::string service_label(const flow::ExchangeFacts& exchange);

  struct OfService {
    uint64_t invocations = 0, retries = 0;
  };
  std::map<std::tuple<std::string, std::string_view, bool>, uint64_t> exchanges_;  // service, status class, injected
  std::map<std::string, OfService> services_;
  std::map<std::string_view, uint64_t> flows_;  // by outcome
};

}  // namespace waylay::record
