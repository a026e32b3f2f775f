#include "record/store.h"

#include <algorithm>
#include <functional>
#include <type_traits>

#include "flow/subject.h"

namespace waylay::record {
namespace {

bool is_closed(const flow::FlowFacts& flow) {
  return flow.closed.wall_ns != 0;
}

size_t bytes_of(const flow::Conversation& conversation) {
  size_t bytes = sizeof conversation;
  for (const auto& message : conversation.messages) bytes += sizeof *message + message->content.size();
  return bytes;
}

// What an exchange costs, near enough for a limit.
size_t cost_of(const PackedExchange& exchange) {
  size_t bytes = sizeof exchange + exchange.size();
  return exchange.conversation() ? bytes + bytes_of(*exchange.conversation()) : bytes;
}

// The newest `most` of `all` that match, in the order of `all`. `facts_of` gives a pointer to one's facts.
template <class Kept, class FactsOf>
auto newest(const std::vector<Kept>& all, const match::Expression& match, size_t most, FactsOf facts_of) {
  std::vector<std::remove_cvref_t<decltype(facts_of(all.front()))>> found;
  for (auto one = all.rbegin(); one != all.rend() && found.size() < most; ++one) {
    auto facts = facts_of(*one);
    if (match.matches(flow::Subject(*facts))) found.push_back(std::move(facts));
  }
  std::ranges::reverse(found);
  return found;
}

Store::ExchangePointer facts_of(const PackedExchange& exchange) {
  return std::make_shared<flow::ExchangeFacts>(exchange.unpacked());
}

}  // namespace

Store::Store(Limits limits) : limits_(limits), ledger_(limits.invocations) {}

void Store::flow_changed(const FlowPointer& facts) {
  {
    std::lock_guard lock(mutex_);
    flows_[facts->id] = facts;
    if (facts->id > newest_flow_) ++totals_.flows;
    newest_flow_ = std::max(newest_flow_, facts->id);
    if (is_closed(*facts) && closed_flows_.insert(facts->id).second) metrics_.flow_closed(*facts);
    drop_flows();
  }
  if (flow::Recorder* follower = follower_.load(std::memory_order_acquire)) follower->flow_changed(facts);
}

void Store::exchange_ended(const flow::ExchangeFacts& facts) {
  {
    std::lock_guard lock(mutex_);
    exchanges_.push_back(packer_.pack(facts));
    totals_.exchange_bytes_held += cost_of(exchanges_.back());
    ++totals_.exchanges;
    metrics_.exchange_ended(facts, ledger_.exchange_ended(facts));
    drop_exchanges();
  }
  if (flow::Recorder* follower = follower_.load(std::memory_order_acquire)) follower->exchange_ended(facts);
}

// In the place of what was kept of it. That may have been dropped in a long life: then its end is among the newest. The
// ledger and the counters know it already.
void Store::exchange_changed(const ExchangePointer& facts) {
  {
    std::lock_guard lock(mutex_);
    auto held = std::ranges::find(exchanges_, facts->id, &PackedExchange::id);
    bool is_held = held != exchanges_.end();
    if (is_held || facts->is_told_again()) {
      PackedExchange newer = packer_.pack(*facts);
      totals_.exchange_bytes_held += cost_of(newer);
      if (is_held) {
        totals_.exchange_bytes_held -= cost_of(*held);
        *held = std::move(newer);
      } else {
        exchanges_.push_back(std::move(newer));
        --totals_.exchanges_dropped;
      }
    }
    drop_exchanges();
  }
  if (flow::Recorder* follower = follower_.load(std::memory_order_acquire)) follower->exchange_changed(facts);
}

void Store::message_seen(const std::shared_ptr<const flow::MessageFacts>& facts) {
  if (flow::Recorder* follower = follower_.load(std::memory_order_acquire)) follower->message_seen(facts);
}

void Store::drop_exchanges() {
  while (exchanges_.size() > limits_.exchanges ||
         (totals_.exchange_bytes_held > limits_.exchange_bytes && !exchanges_.empty())) {
    totals_.exchange_bytes_held -= cost_of(exchanges_.front());
    exchanges_.pop_front();
    ++totals_.exchanges_dropped;
  }
}

// Closed ones first, so that `waylay flows` always shows what is open now.
void Store::drop_flows() {
  while (flows_.size() > limits_.flows) {
    uint64_t oldest = closed_flows_.empty() ? flows_.begin()->first : *closed_flows_.begin();
    flows_.erase(oldest);
    closed_flows_.erase(oldest);
    ++totals_.flows_dropped;
  }
}

Store::FlowPointer Store::flow(uint64_t id) const {
  std::lock_guard lock(mutex_);
  auto found = flows_.find(id);
  return found == flows_.end() ? nullptr : found->second;
}

Store::ExchangePointer Store::exchange(uint64_t id) const {
  PackedExchange found;
  {
    std::lock_guard lock(mutex_);
    auto held = std::ranges::find(exchanges_, id, &PackedExchange::id);
    if (held == exchanges_.end()) return nullptr;
    found = *held;
  }
  return facts_of(found);
}

std::vector<Store::ExchangePointer> Store::exchanges(const match::Expression& match, size_t most) const {
  std::vector<PackedExchange> all;
  {
    std::lock_guard lock(mutex_);
    all.assign(exchanges_.begin(), exchanges_.end());
  }
  return newest(all, match, most, facts_of);
}

std::vector<Store::FlowPointer> Store::flows(const match::Expression& match, size_t most) const {
  std::vector<FlowPointer> all;
  {
    std::lock_guard lock(mutex_);
    all.reserve(flows_.size());
    for (const auto& [id, flow] : flows_) all.push_back(flow);
  }
  return newest(all, match, most, std::identity());
}

std::vector<Invocation> Store::invocations() const {
  std::lock_guard lock(mutex_);
  return ledger_.invocations();
}

Store::Totals Store::totals() const {
  std::lock_guard lock(mutex_);
  Totals totals = totals_;
  totals.exchanges_held = exchanges_.size();
  totals.flows_held = flows_.size();
  totals.invocations = ledger_.total();
  totals.invocations_dropped = ledger_.dropped();
  return totals;
}

std::string Store::metrics() const {
  Totals now = totals();
  std::lock_guard lock(mutex_);
  return metrics_.text(
      {{"exchange", now.exchanges_dropped}, {"flow", now.flows_dropped}, {"invocation", now.invocations_dropped}},
      {{"exchanges", now.exchanges_held}, {"exchange_bytes", now.exchange_bytes_held}, {"flows", now.flows_held}});
}

}  // namespace waylay::record
