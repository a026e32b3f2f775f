#include "record/subscription.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/check.h"
#include "flow/subject.h"

namespace waylay::record {

Subscription::Subscription(Wanted wanted, size_t room)
    : wanted_(std::move(wanted)), room_(room), ready_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

bool Subscription::wants(const Event& event) const {
  if (event.flow) return wanted_.flows && wanted_.match.matches(flow::Subject(*event.flow));
  return wanted_.exchanges && wanted_.match.matches(flow::Subject(*event.exchange));
}

void Subscription::offer(const Event& event) {
  if (!wants(event)) return;
  std::lock_guard lock(mutex_);
  if (waiting_.size() >= room_) {
    ++missed_;
    return;
  }
  waiting_.push_back(event);
  if (waiting_.size() > 1) return;  // the eventfd says so already
  uint64_t one = 1;
  if (ready_) CHECK(write(ready_.get(), &one, sizeof one) == sizeof one);
}

Subscription::Batch Subscription::take() {
  std::lock_guard lock(mutex_);
  uint64_t count = 0;
  if (ready_ && read(ready_.get(), &count, sizeof count) < 0) CHECK(errno == EAGAIN);
  Batch batch{{waiting_.begin(), waiting_.end()}, std::exchange(missed_, 0)};
  waiting_.clear();
  return batch;
}

}  // namespace waylay::record
