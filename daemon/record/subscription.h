// One live follower of what is recorded: a bounded queue between the workers and the thread that shows it.
//
// The queue never makes a worker wait: when it is full the new event is dropped and counted, and the follower is told
// how many it missed before the next batch. An eventfd is readable while something waits, for poll(2).
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "base/handle.h"
#include "flow/exchange.h"
#include "match/expression.h"

namespace waylay::record {

// One of the two is set.
struct Event {
  std::shared_ptr<const flow::FlowFacts> flow;          // as it is now: opened, decided or closed
  std::shared_ptr<const flow::ExchangeFacts> exchange;  // ended
};

struct Wanted {
  match::Expression match;  // the default matches everything
  bool flows = false;
  bool exchanges = true;
};

class Subscription {
 public:
  struct Batch {
    std::vector<Event> events;
    uint64_t missed = 0;  // dropped for want of room since the last batch
  };

  Subscription(Wanted wanted, size_t room);
  int fd() const { return ready_.get(); }  // readable: take() has something
  Batch take();                            // everything that waits; never blocks

  // For the Store, from any thread.
  void offer(const Event& event);

 private:
  bool wants(const Event& event) const;

  const Wanted wanted_;
  const size_t room_;
  Fd ready_;
  std::mutex mutex_;
  std::deque<Event> waiting_;
  uint64_t missed_ = 0;
};

}  // namespace waylay::record
