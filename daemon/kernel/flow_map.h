// The flow map and the counters as the unprivileged proxy reads them, through read-only descriptors inherited from the
// warden: plain bpf(2) look-ups, no libbpf, safe from any thread.
#pragma once

#include "base/address.h"
#include "base/handle.h"
#include "kernel/redirect.h"

namespace waylay::kernel {

// Where a redirected connection was going and who made it, as the kernel noted it at connect().
struct Origin {
  Address destination;
  bool v4_mapped = false;  // the client wrote ::ffff:a.b.c.d; `destination` is the IPv4 address
  uint32_t target = 0;
  pid_t pid = 0;  // the process (thread group) as the initial pid namespace numbers it
  pid_t tid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  uint64_t cgroup_id = 0;
  std::string comm;
  int64_t start_steady_ns = 0;  // when connect() was called, on the clock of Time::steady_ns
};

class FlowMap {
 public:
  explicit FlowMap(Fd fd) : fd_(std::move(fd)) {}

  // For a connection just accepted: `client` is its peer address, `listener_port` the local port, `netns_cookie` the
  // one of the listener. nullopt: nobody redirected this connection (or its socket is closed already); close it.
  Result<std::optional<Origin>> find(uint64_t netns_cookie, const Address& client, uint16_t listener_port) const;

 private:
  Fd fd_;
};

// All zero for a target that is not (or no longer) attached.
Result<TargetCounters> read_counters(int counters_fd, uint32_t target);

// The network namespace a socket lives in, by SO_NETNS_COOKIE: never reused while the system runs.
Result<uint64_t> netns_cookie(int socket_fd);

}  // namespace waylay::kernel
