#include "rules/handler_gate.h"

namespace waylay::rules {

HandlerGate::Entry HandlerGate::enter(Time now) {
  std::lock_guard lock(mutex_);
  if (failed_in_a_row_ >= failures_) {
    if (trying_ || now.steady_ns < open_until_ns_) return Entry::Broken;
    trying_ = true;
  } else if (inside_ >= concurrency_) {
    return Entry::Busy;
  }
  ++inside_;
  return Entry::Granted;
}

void HandlerGate::leave(Outcome outcome, Time now) {
  std::lock_guard lock(mutex_);
  --inside_;
  trying_ = false;
  if (outcome == Outcome::Success) failed_in_a_row_ = 0;
  if (outcome != Outcome::Failure) return;
  if (failed_in_a_row_ < failures_) ++failed_in_a_row_;
  if (failed_in_a_row_ >= failures_) open_until_ns_ = now.steady_ns + pause_ns_;
}

}  // namespace waylay::rules
