#include "control/sources.h"

#include <nlohmann/json.hpp>

#include "control/render.h"

namespace waylay::control {
namespace {

std::string render(const Event& event) {
  return std::visit([](const auto& facts) { return to_text(to_json(*facts)); }, event);
}

const void* address_of(const Event& event) {
  return std::visit([](const auto& facts) -> const void* { return facts.get(); }, event);
}

}  // namespace

ListSource::ListSource(std::string_view name, std::vector<Event> events)
    : opening_("{\"" + std::string(name) + "\":["), events_(std::move(events)) {}

Source::Step ListSource::next(std::string& out) {
  if (position_ == 0) out += opening_;
  if (position_ < events_.size()) {
    if (position_ > 0) out += ',';
    out += render(events_[position_]);
    events_[position_] = {};  // a store that drops it meanwhile gets its memory back
    ++position_;
    if (position_ < events_.size()) return Step::More;
  }
  out += "]}\n";
  return Step::Done;
}

FollowSource::FollowSource(std::unique_ptr<Subscription> subscription, std::vector<Event> past)
    : subscription_(std::move(subscription)), past_(std::move(past)) {
  for (const Event& event : past_) past_facts_.insert(address_of(event));
}

Source::Step FollowSource::next(std::string& out) {
  if (position_ < past_.size()) {
    out += render(past_[position_++]) + "\n";
    return Step::More;
  }
  if (uint64_t lost = subscription_->take_gap(); lost > 0) {
    out += to_text({{"type", "gap"}, {"lost", lost}}) + "\n";
    return Step::More;
  }
  std::optional<Event> event = subscription_->next();
  if (!event) return Step::Waiting;
  if (!seen(*event)) out += render(*event) + "\n";
  return Step::More;
}

bool FollowSource::seen(const Event& event) const {
  return past_facts_.contains(address_of(event));
}

}  // namespace waylay::control
