#include "flow/paced_body.h"

#include <algorithm>
#include <limits>

namespace waylay::flow {
namespace {

// Slices are what a fiftieth of a second may take: to a reader a steady stream, to us no busy timer. The largest keeps
// what is written at once bounded.
constexpr uint64_t kSlicesPerSecond = 50;
constexpr uint64_t kLargestSlice = 256 * 1024;
// A timer that comes late is made up for, a pause of the sender is not.
constexpr int64_t kMadeUp_ns = kSecond_ns / 10;

}  // namespace

void PacedBody::append(Bytes content, int64_t delay_ns, Time now) {
  if (content.empty()) return;
  content_.append(content);
  if (parts_.empty()) {
    part_opens_ns_ = now.steady_ns + delay_ns;
    rate_opens_ns_ = std::max(rate_opens_ns_, now.steady_ns);
  }
  if (delay_ns == 0 && !parts_.empty()) {
    parts_.back().octets += content.size();
  } else {
    parts_.push_back({content.size(), delay_ns});
  }
}

Bytes PacedBody::next(Time now) const {
  if (parts_.empty() || now.steady_ns < *next_ns()) return {};
  uint64_t slice = octets_per_second_ == 0
                       ? std::numeric_limits<uint64_t>::max()
                       : std::clamp<uint64_t>(octets_per_second_ / kSlicesPerSecond, 1, kLargestSlice);
  return content_.bytes().first(static_cast<size_t>(std::min<uint64_t>(parts_.front().octets, slice)));
}

void PacedBody::sent(size_t octets, Time now) {
  content_.consume(octets);
  parts_.front().octets -= octets;
  if (parts_.front().octets == 0) {
    parts_.pop_front();
    if (!parts_.empty()) part_opens_ns_ = now.steady_ns + parts_.front().delay_ns;
  }
  if (octets_per_second_ == 0) return;
  int64_t takes_ns = static_cast<int64_t>(octets * static_cast<uint64_t>(kSecond_ns) / octets_per_second_);
  rate_opens_ns_ = std::max(rate_opens_ns_, now.steady_ns - kMadeUp_ns) + takes_ns;
}

std::optional<int64_t> PacedBody::next_ns() const {
  if (parts_.empty()) return std::nullopt;
  return std::max(part_opens_ns_, rate_opens_ns_);
}

}  // namespace waylay::flow
