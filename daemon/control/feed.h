// Live events from the workers to the API's subscribers. A worker is never held up: it puts an event into a bounded
// queue, or counts it as lost. A subscriber that reads too slowly loses events too, and is told how many: a gap.
//
// publish() may be called from any thread; everything else belongs to the API's thread. The Feed outlives its
// subscriptions.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <variant>
#include <vector>

#include "base/handle.h"
#include "flow/facts.h"
#include "match/expression.h"

namespace waylay::control {

using Event = std::variant<std::shared_ptr<const flow::ExchangeFacts>, std::shared_ptr<const flow::FlowFacts>,
                           std::shared_ptr<const flow::MessageFacts>>;

// What a subscriber wants beside exchanges.
struct Beside {
  bool connections = false;  // flows (the publisher chooses which)
  bool messages = false;     // of WebSockets whose rules keep them
};

class Feed;

class Subscription {
 public:
  static constexpr size_t kMaximumWaiting = 4096;  // events; a terminal that stands still for a second loses none
  static constexpr size_t kMaximumContent = 4 * 1024 * 1024;  // of the messages among them

  // What matches; messages by their exchange.
  Subscription(Feed& feed, match::Expression match, Beside beside);
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  std::optional<Event> next();  // nothing: wait
  uint64_t take_gap();          // events lost since the last call; they lie before what next() gives

 private:
  friend class Feed;
  void offer(const Event& event);
  bool wants(const Event& event) const;

  Feed& feed_;
  match::Expression match_;
  Beside beside_;
  std::deque<Event> waiting_;
  size_t content_ = 0;  // of these
  uint64_t gap_ = 0;
};

class Feed {
 public:
  static constexpr size_t kMaximumPublished = 16384;  // until the API's thread takes them over
  static constexpr size_t kMaximumContent = 8 * 1024 * 1024;

  Feed();

  bool has_listeners() const { return listeners_.load(std::memory_order_acquire) != 0; }  // from any thread, too
  void publish(Event event);
  int wake_descriptor() const { return wake_.get(); }  // readable when deliver() has something to do

  void deliver();  // from the published queue to the subscriptions

 private:
  friend class Subscription;
  std::atomic<size_t> listeners_{0};  // without any, publishing costs one load
  std::mutex mutex_;
  std::vector<Event> published_;  // guarded
  size_t content_ = 0;            // of these; guarded
  uint64_t lost_ = 0;             // guarded
  std::vector<Subscription*> subscriptions_;
  Fd wake_;
};

}  // namespace waylay::control
