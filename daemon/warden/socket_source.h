// Upstream sockets for the proxy, made in the namespaces of attached targets. The attaching thread adds and removes
// targets, the serving thread makes sockets; a target's namespace is held exactly from add() to remove().
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "base/address.h"
#include "base/handle.h"
#include "base/result.h"

namespace waylay::warden {

constexpr int kMaximumSocketsAtOnce = 32;  // daemon/warden/protocol.h, WantSockets

class SocketSource {
 public:
  void add(uint32_t target, Fd netns);
  void remove(uint32_t target);
  // kOwnNetwork too can make sockets from now on.
  Result<void> add_own_network();
  // NotFound when the target is not attached (any more).
  Result<std::vector<Fd>> make(uint32_t target, Family family, int count);

 private:
  std::mutex mutex_;
  std::map<uint32_t, Fd> namespaces_;
};

}  // namespace waylay::warden
