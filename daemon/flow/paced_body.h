// The content of a body that goes out more slowly than it came: at most so many octets a second, in small slices, and
// each part after a delay of its own. Without a clock: next() says what may leave now, next_ns() when to ask again.
#pragma once

#include <deque>
#include <optional>

#include "base/byte_queue.h"
#include "base/clock.h"

namespace waylay::flow {

class PacedBody {
 public:
  // What may wait here before no more is read: the sender shall feel how slow the way is.
  static constexpr size_t kMostHeld = 64 * 1024;

  explicit PacedBody(uint64_t octets_per_second) : octets_per_second_(octets_per_second) {}  // 0: no limit

  // A part goes out `delay_ns` after the one before it has.
  void append(Bytes content, int64_t delay_ns, Time now);

  Bytes next(Time now) const;          // borrowed until the next call; empty: nothing may leave now
  void sent(size_t octets, Time now);  // of those

  bool empty() const { return parts_.empty(); }
  size_t size() const { return content_.size(); }
  bool is_full() const { return content_.size() >= kMostHeld; }
  std::optional<int64_t> next_ns() const;  // nothing: it is empty

 private:
  struct Part {
    size_t octets;
    int64_t delay_ns;
  };

  const uint64_t octets_per_second_;
  ByteQueue content_;
  std::deque<Part> parts_;
  int64_t part_opens_ns_ = 0;  // the first one
  int64_t rate_opens_ns_ = 0;
};

}  // namespace waylay::flow
