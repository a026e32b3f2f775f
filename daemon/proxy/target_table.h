// The targets for the API: attached ones, and the last that ended. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "proxy/proxy.h"
#include "proxy/target.h"

namespace waylay::proxy {

class TargetTable {
 public:
  static constexpr size_t kRemembered = 100;  // that ended

  explicit TargetTable(int counters) : counters_(counters) {}  // borrowed, -1: none

  void add(std::shared_ptr<const Target> target);
  void ended(uint32_t id, std::string why, Time now);
  std::vector<TargetStatus> list() const;

 private:
  struct Entry {
    std::shared_ptr<const Target> target;
    bool attached = true;
    std::string why;
    int64_t ended_ns = 0;
    kernel::TargetCounters last_hooks;  // the kernel's counters go away with the target's programs
  };
  kernel::TargetCounters read_hooks(uint32_t id) const;
  TargetStatus status_of(const Entry& entry) const;
  void forget_oldest();

  const int counters_;
  mutable std::mutex mutex_;
  std::map<uint32_t, Entry> entries_;
};

}  // namespace waylay::proxy
