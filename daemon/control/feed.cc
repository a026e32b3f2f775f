#include "control/feed.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.h"
#include "flow/subject.h"

namespace waylay::control {
namespace {

// Facts are shared with the store, which has a limit of its own. What messages say may be nowhere else.
size_t content_of(const Event& event) {
  const auto* message = std::get_if<std::shared_ptr<const flow::MessageFacts>>(&event);
  return message ? (*message)->content.size() : 0;
}

}  // namespace

Subscription::Subscription(Feed& feed, match::Expression match, Beside beside)
    : feed_(feed), match_(std::move(match)), beside_(beside) {
  feed_.subscriptions_.push_back(this);
  feed_.listeners_.fetch_add(1, std::memory_order_release);
}

Subscription::~Subscription() {
  feed_.listeners_.fetch_sub(1, std::memory_order_release);
  std::erase(feed_.subscriptions_, this);
}

bool Subscription::wants(const Event& event) const {
  if (const auto* exchange = std::get_if<std::shared_ptr<const flow::ExchangeFacts>>(&event))
    return match_.matches(flow::Subject(**exchange));
  if (const auto* message = std::get_if<std::shared_ptr<const flow::MessageFacts>>(&event))
    return beside_.messages && match_.matches(flow::Subject(*(*message)->exchange));
  return beside_.connections && match_.matches(flow::Subject(*std::get<std::shared_ptr<const flow::FlowFacts>>(event)));
}

void Subscription::offer(const Event& event) {
  if (!wants(event)) return;
  waiting_.push_back(event);
  content_ += content_of(event);
  if (waiting_.size() <= kMaximumWaiting && content_ <= kMaximumContent) return;
  // The newest are worth most: the older half goes at once, so that a gap is one gap and not thousands.
  size_t dropped = waiting_.size() / 2;
  for (size_t i = 0; i < dropped; ++i) content_ -= content_of(waiting_[i]);
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(dropped));
  gap_ += dropped;
}

std::optional<Event> Subscription::next() {
  if (waiting_.empty()) return std::nullopt;
  Event event = std::move(waiting_.front());
  waiting_.pop_front();
  content_ -= content_of(event);
  return event;
}

uint64_t Subscription::take_gap() {
  return std::exchange(gap_, 0);
}

Feed::Feed() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CHECK(wake_);
}

void Feed::publish(Event event) {
  if (!has_listeners()) return;
  bool was_empty = false;
  {
    std::lock_guard lock(mutex_);
    size_t content = content_ + content_of(event);
    if (published_.size() == kMaximumPublished || content > kMaximumContent) {
      ++lost_;
      return;
    }
    content_ = content;
    was_empty = published_.empty();
    published_.push_back(std::move(event));
  }
  uint64_t one = 1;
  if (was_empty && ::write(wake_.get(), &one, sizeof one) < 0) return;  // full: it is readable already
}

void Feed::deliver() {
  uint64_t count = 0;
  if (::read(wake_.get(), &count, sizeof count) < 0) count = 0;  // nonblocking: nothing was published meanwhile
  std::vector<Event> events;
  uint64_t lost = 0;
  {
    std::lock_guard lock(mutex_);
    events.swap(published_);
    content_ = 0;
    lost = std::exchange(lost_, 0);
  }
  for (Subscription* subscription : subscriptions_) {
    for (const Event& event : events) subscription->offer(event);
    subscription->gap_ += lost;
  }
}

}  // namespace waylay::control
