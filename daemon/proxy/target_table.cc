#include "proxy/target_table.h"

#include <algorithm>

namespace waylay::proxy {
namespace {

TargetCounts snapshot(const Target::Counts& counts) {
  return {.accepted = counts.accepted,
          .intercepted = counts.intercepted,
          .passed_through = counts.passed_through,
          .failed = counts.failed,
          .unknown = counts.unknown,
          .open = counts.open};
}

}  // namespace

void TargetTable::add(std::shared_ptr<const Target> target) {
  std::lock_guard lock(mutex_);
  uint32_t id = target->id;
  entries_[id] = {.target = std::move(target)};
}

void TargetTable::ended(uint32_t id, std::string why, Time now) {
  std::lock_guard lock(mutex_);
  auto found = entries_.find(id);
  if (found == entries_.end() || !found->second.attached) return;
  Entry& entry = found->second;
  entry.attached = false;
  entry.why = std::move(why);
  entry.ended_ns = now.wall_ns;
  entry.last_hooks = read_hooks(id);
  forget_oldest();
}

std::vector<TargetStatus> TargetTable::list() const {
  std::lock_guard lock(mutex_);
  std::vector<TargetStatus> all;
  all.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) all.push_back(status_of(entry));
  return all;
}

TargetStatus TargetTable::status_of(const Entry& entry) const {
  TargetStatus status;
  status.id = entry.target->id;
  status.info = entry.target->info;
  status.attached = entry.attached;
  status.ended = entry.why;
  status.ended_ns = entry.ended_ns;
  status.counts = snapshot(entry.target->counts);
  status.hooks = entry.attached ? read_hooks(status.id) : entry.last_hooks;
  return status;
}

kernel::TargetCounters TargetTable::read_hooks(uint32_t id) const {
  if (counters_ < 0 || id == 0) return {};
  return kernel::read_counters(counters_, id).value_or(kernel::TargetCounters{});
}

void TargetTable::forget_oldest() {
  auto has_ended = [](const auto& each) { return !each.second.attached; };
  if (std::count_if(entries_.begin(), entries_.end(), has_ended) <= static_cast<ptrdiff_t>(kRemembered)) return;
  entries_.erase(std::find_if(entries_.begin(), entries_.end(), has_ended));  // numbers only grow
}

}  // namespace waylay::proxy
