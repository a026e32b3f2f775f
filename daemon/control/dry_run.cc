#include "control/dry_run.h"

namespace waylay::control {

Source::Step DryRunSource::next(std::string& out) {
  bool changed = !std::exchange(said_, true);
  if (uint64_t gap = subscription_->take_gap(); gap > 0) {
    trial_->lost(gap);
    changed = true;
  }
  while (std::optional<Event> event = subscription_->next()) {
    const auto* exchange = std::get_if<std::shared_ptr<const flow::ExchangeFacts>>(&*event);
    if (exchange && !(*exchange)->is_told_again()) trial_->see(**exchange);
    changed = true;
  }
  if (changed) out += trial_->report() + "\n";
  return Step::Waiting;
}

}  // namespace waylay::control
