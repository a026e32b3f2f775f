// Who a pid is, as the warden sees it in /proc. Answers are remembered for a few seconds: a job that opens a connection
// every 20 ms need not be looked up each time, and a pid is not given to another process that fast in the same cgroup.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "proxy/waiter.h"
#include "warden/protocol.h"

namespace waylay::proxy {

class WardenLink;

class ProcessNames {
 public:
  static constexpr int64_t kLifetime_ns = 5 * kSecond_ns;
  static constexpr size_t kMaximum = 4096;

  explicit ProcessNames(WardenLink& warden) : warden_(warden) {}

  // An answer at once, or nothing: then the waiter gets it later. An Error when the process is gone.
  std::optional<Result<warden::ProcessInfo>> request(uint32_t target, uint32_t pid, uint64_t cgroup_id,
                                                     Waiter<warden::ProcessInfo>& waiter, Time now);
  void put(uint64_t id, std::optional<warden::ProcessInfo> process, Time now);
  void fail_everyone(const Error& why);

 private:
  using Key = std::pair<uint32_t, uint64_t>;  // pid and cgroup
  struct Known {
    warden::ProcessInfo process;
    int64_t until_ns = 0;
  };
  struct Pending {
    Key key;
    Waiters<warden::ProcessInfo> waiters;
  };
  void remember(const Key& key, const warden::ProcessInfo& process, Time now);

  WardenLink& warden_;
  std::map<Key, Known> known_;
  std::map<uint64_t, std::unique_ptr<Pending>> pending_;
  std::map<Key, Pending*> by_key_;
  uint64_t next_id_ = 1;
};

}  // namespace waylay::proxy
