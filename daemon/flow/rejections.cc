#include "flow/rejections.h"

#include <algorithm>

namespace waylay::flow {

void Rejections::learn(Key key, std::string reason, Time now) {
  std::lock_guard lock(mutex_);
  if (entries_.size() >= kMaximum) forget_old(now.steady_ns);
  if (entries_.size() >= kMaximum) entries_.erase(entries_.begin());
  entries_[std::move(key)] = Entry{std::move(reason), now.steady_ns + kLifetime_ns};
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
