#include "flow/rejections.h"

#include <algorithm>

namespace waylay::flow {

void Rejections::learn(Key key, std::string reason, Time now) {
  std::lock_guard lock(mutex_);
  accepted_.erase(key);
  insert(std::move(key), {std::move(reason), now.steady_ns + kLifetime_ns, false});
}

void Rejections::guess(Key key, std::string reason, Time now) {
  std::lock_guard lock(mutex_);
  auto found = accepted_.find(key);
  if (found != accepted_.end() && found->second > now.steady_ns) return;
  if (entries_.contains(key)) return;  // it may be certain
  insert(std::move(key), {std::move(reason), now.steady_ns + kLifetime_ns, true});
}

void Rejections::accepted(Key key, Time now) {
  std::lock_guard lock(mutex_);
  auto refusal = entries_.find(key);
  if (refusal != entries_.end() && refusal->second.guessed) entries_.erase(refusal);
  if (accepted_.size() >= kMaximum) {
    std::erase_if(accepted_, [&](const auto& each) { return each.second <= now.steady_ns; });
    // Thousands of processes within minutes live too short for a second connection: none is worth keeping.
    if (accepted_.size() >= kMaximum) accepted_.clear();
  }
  accepted_[std::move(key)] = now.steady_ns + kLifetime_ns;
}

void Rejections::insert(Key key, Entry entry) {
  if (entries_.size() >= kMaximum) forget_old(entry.until_ns - kLifetime_ns);
  if (entries_.size() >= kMaximum) entries_.erase(entries_.begin());
  entries_[std::move(key)] = std::move(entry);
  any_.store(true, std::memory_order_release);
}

std::optional<std::string> Rejections::reason_to_pass(const Key& key, Time now) {
  if (!any_.load(std::memory_order_acquire)) return std::nullopt;
  std::lock_guard lock(mutex_);
  auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  if (found->second.until_ns > now.steady_ns) return found->second.reason;
  entries_.erase(found);
  any_.store(!entries_.empty(), std::memory_order_release);
  return std::nullopt;
}

size_t Rejections::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

void Rejections::forget_old(int64_t now_ns) {
  std::erase_if(entries_, [&](const auto& entry) { return entry.second.until_ns <= now_ns; });
}

}  // namespace waylay::flow
