#include "proxy/process_names.h"

#include "proxy/warden_link.h"

namespace waylay::proxy {

std::optional<Result<warden::ProcessInfo>> ProcessNames::request(uint32_t target, uint32_t pid, uint64_t cgroup_id,
                                                                 Waiter<warden::ProcessInfo>& waiter, Time now) {
  Key key{pid, cgroup_id};
  if (auto found = known_.find(key); found != known_.end() && found->second.until_ns > now.steady_ns)
    return found->second.process;
  if (auto found = by_key_.find(key); found != by_key_.end()) {
    found->second->waiters.push_back(waiter);
    return std::nullopt;
  }
  uint64_t id = next_id_++;
  if (Result<void> asked = warden_.ask_process(id, target, pid, cgroup_id); !asked) return fail(asked);
  auto pending = std::make_unique<Pending>();
  pending->key = key;
  pending->waiters.push_back(waiter);
  by_key_[key] = pending.get();
  pending_[id] = std::move(pending);
  return std::nullopt;
}

void ProcessNames::put(uint64_t id, std::optional<warden::ProcessInfo> process, Time now) {
  auto found = pending_.find(id);
  if (found == pending_.end()) return;
  std::unique_ptr<Pending> pending = std::move(found->second);
  pending_.erase(found);
  by_key_.erase(pending->key);
  if (!process) return fail_all(pending->waiters, Error::local(ErrorKind::NotFound, "the process is gone"));
  remember(pending->key, *process, now);
  while (auto* waiter = pending->waiters.pop_front()) waiter->answer(*process);
}

void ProcessNames::remember(const Key& key, const warden::ProcessInfo& process, Time now) {
  if (known_.size() >= kMaximum) {
    std::erase_if(known_, [&](const auto& each) { return each.second.until_ns <= now.steady_ns; });
    if (known_.size() >= kMaximum)
      known_.clear();  // thousands of processes within seconds: then nothing is worth keeping
  }
  known_[key] = {process, now.steady_ns + kLifetime_ns};
}

void ProcessNames::fail_everyone(const Error& why) {
  by_key_.clear();
  auto pending = std::move(pending_);
  pending_.clear();
  for (auto& [id, each] : pending) fail_all(each->waiters, why);
}

}  // namespace waylay::proxy
