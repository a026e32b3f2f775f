// What was recorded: the newest exchanges and flows, the retry ledger and the counters. It is the
// workers' Recorder; a worker holds its lock for a few map operations and never waits for a reader, who copies pointers
// under the lock and works on them outside.
//
// Facts are immutable; those of flows are shared, those of exchanges packed and made anew for each reader. An open flow
// is kept as its newest facts; flows are dropped closed ones first.
// Thread-safe.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "flow/facts.h"
#include "match/expression.h"
#include "record/ledger.h"
#include "record/limits.h"
#include "record/metrics.h"
#include "record/packed_exchange.h"

namespace waylay::record {

class Store final : public flow::Recorder {
 public:
  using FlowPointer = std::shared_ptr<const flow::FlowFacts>;
  using ExchangePointer = std::shared_ptr<const flow::ExchangeFacts>;

  struct Totals {
    uint64_t exchanges = 0, exchanges_dropped = 0;  // since the start; dropped ones are not held any more
    uint64_t flows = 0, flows_dropped = 0;
    uint64_t invocations = 0, invocations_dropped = 0;
    size_t exchanges_held = 0, exchange_bytes_held = 0, flows_held = 0;
  };

  explicit Store(Limits limits = {});

  // flow::Recorder
  void flow_changed(const FlowPointer& facts) override;
  void exchange_ended(const flow::ExchangeFacts& facts) override;
  void exchange_changed(const ExchangePointer& facts) override;
  void message_seen(const std::shared_ptr<const flow::MessageFacts>& facts) override;

  FlowPointer flow(uint64_t id) const;          // null: never seen, or dropped
  ExchangePointer exchange(uint64_t id) const;  // null as well while it is still open

  // The newest `most` that match, the oldest of them first.
  std::vector<ExchangePointer> exchanges(const match::Expression& match, size_t most) const;
  std::vector<FlowPointer> flows(const match::Expression& match, size_t most) const;

  // Who is told of everything once it is kept, on the worker's thread: the API's feed. Null ends it; what a worker is
  // just telling may still arrive.
  void tell(flow::Recorder* follower) { follower_.store(follower, std::memory_order_release); }

  std::vector<Invocation> invocations() const;  // a copy of the ledger, the oldest first
  Totals totals() const;
  std::string metrics() const;  // Prometheus text

 private:
  void drop_exchanges();
  void drop_flows();

  const Limits limits_;
  mutable std::mutex mutex_;
  ExchangePacker packer_;
  std::deque<PackedExchange> exchanges_;  // in the order they ended: an id is looked for, by a person, and rarely
  std::map<uint64_t, FlowPointer> flows_;
  std::set<uint64_t> closed_flows_;
  Ledger ledger_;
  Metrics metrics_;
  Totals totals_;
  uint64_t newest_flow_ = 0;

  std::atomic<flow::Recorder*> follower_{nullptr};
};

}  // namespace waylay::record
