// Bodies made while they are sent: lists of facts, and the stream that follows what happens.
#pragma once

#include <unordered_set>
#include <vector>

#include "control/api.h"
#include "control/feed.h"

namespace waylay::control {

// {"NAME": [item, item, ...]}
class ListSource final : public Source {
 public:
  ListSource(std::string_view name, std::vector<Event> events);
  Step next(std::string& out) override;

 private:
  std::string opening_;
  std::vector<Event> events_;
  size_t position_ = 0;
};

// A line of JSON for each event: first the past ones, then those that come. A gap is {"type": "gap", "lost": N}.
class FollowSource final : public Source {
 public:
  // `past` was asked for after `subscription` was made, so nothing is missing; what is in both is given once.
  FollowSource(std::unique_ptr<Subscription> subscription, std::vector<Event> past);
  Step next(std::string& out) override;

 private:
  bool seen(const Event& event) const;

  std::unique_ptr<Subscription> subscription_;
  std::vector<Event> past_;
  size_t position_ = 0;
  std::unordered_set<const void*> past_facts_;  // by address: past_ keeps them alive
};

}  // namespace waylay::control
