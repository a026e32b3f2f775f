// What a redirect engine does for the warden: from attach() until its Redirect is destroyed, the connections that the
// configuration describes arrive at listeners on loopback in the target's namespace. An interface, so that the warden
// can be tested without a kernel and an engine other than eBPF can take its place.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"

namespace waylay::kernel {

// What the hooks saw and decided for one target. Each connect to a redirected port is in `seen` and in exactly one of
// the others but unlisted (which is redirected too), bypassed_earlier and udp_refused.
struct TargetCounters {
  uint64_t seen = 0;
  uint64_t redirected = 0;
  uint64_t bypassed_device = 0;            // bound to a device (SO_BINDTODEVICE)
  uint64_t bypassed_no_route = 0;          // the namespace has no route for the family
  uint64_t bypassed_excluded_process = 0;  // the daemon's own
  uint64_t not_target_process = 0;         // other processes of the cgroup, with only_pid
  uint64_t bypassed_loopback = 0;          // to the target's own loopback
  uint64_t bypassed_link_local = 0;        // to fe80::/10
  uint64_t bypassed_other_netns = 0;       // from another network namespace than the listeners'
  uint64_t map_full = 0;                   // left alone because max_flows are open
  uint64_t unlisted = 0;                   // redirected without an entry: the acceptor closes it
  uint64_t bypassed_earlier = 0;  // TCP connections older than the attach that are still used; not with only_pid
  uint64_t udp_refused = 0;       // datagrams, not sockets
};

struct RedirectConfig {
  uint32_t target = 0;            // chosen by the caller, not 0, unique for the engine's life
  uint64_t netns_cookie = 0;      // of the namespace where the listeners are (kernel::netns_cookie of one of them)
  int cgroup_fd = -1;             // the cgroup2 directory; borrowed for attach() only
  std::vector<uint16_t> ports;    // at most WAYLAY_MAX_PORTS
  uint16_t listener_port_v4 = 0;  // 0: there is no listener of this family
  uint16_t listener_port_v6 = 0;
  bool v4 = true;  // the families to redirect at first; see families_to_redirect() in netns.h
  bool v6 = true;
  std::optional<pid_t> only_pid;  // this process and its threads; without it, every process of the cgroup
  bool tree = false;              // with only_pid: its descendants too, for as long as they live
  std::vector<pid_t> excluded;    // never redirected: warden and proxy; at most WAYLAY_MAX_EXCLUDED
  bool redirect_loopback = false;
};

// One target's redirect. Destroying it ends everything; the end of the process does too. Open connections go on.
class Redirect {
 public:
  virtual ~Redirect() = default;

  // Routes changed: from now on these families are redirected.
  virtual void set_families(bool v4, bool v6) = 0;

  // The redirect of new connections ends, but what redirected connections in flight still need stays: their flow map
  // entries are kept and removed with their sockets, and getpeername() keeps its answer.
  virtual void stop() = 0;

  virtual Result<TargetCounters> counters() const = 0;

  // With `tree`: the processes that belong to it now, also those whose parents have ended. The target is over when
  // there are none left.
  virtual std::vector<pid_t> tree() const { return {}; }
};

class RedirectEngine {
 public:
  virtual ~RedirectEngine() = default;

  // All or nothing: after an error nothing is attached.
  virtual Result<std::unique_ptr<Redirect>> attach(const RedirectConfig& config) = 0;
};

}  // namespace waylay::kernel
