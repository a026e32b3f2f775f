// Network namespaces of targets: sockets made inside them, and whether they have routes. A socket belongs for its
// life to the namespace it was made in, and keeps that namespace alive: close what is made here when the target ends.
// Entering a namespace needs CAP_SYS_ADMIN and happens on a helper thread, never on the caller's.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "base/address.h"
#include "base/handle.h"
#include "base/result.h"

namespace waylay::kernel {

Result<Fd> open_netns(pid_t pid);
Result<Fd> open_netns_at(const std::string& path);  // /run/netns/NAME
Result<uint64_t> netns_inode(int netns_fd);         // what `ls -l /proc/PID/ns/net` shows
Result<uint64_t> netns_cookie_of(int netns_fd);     // what netns_cookie() says of sockets in it

// Runs `work` inside the namespace and waits for it.
Result<void> run_in_netns(int netns_fd, const std::function<void()>& work);

// Listeners on 127.0.0.1 and [::1], nonblocking, close-on-exec, SO_REUSEPORT, TCP_NODELAY (inherited by what they
// accept), listening. A redirected IPv4-mapped client arrives at the IPv4 ones.
struct Listeners {
  std::vector<Fd> v4;  // empty, with port 0: the namespace has no such family
  std::vector<Fd> v6;
  uint16_t port_v4 = 0;
  uint16_t port_v6 = 0;  // the same as port_v4 wherever that was free
};
Result<Listeners> open_listeners(int netns_fd, int count);

// An upstream socket: TCP, nonblocking, close-on-exec, not connected.
Result<Fd> open_socket(int netns_fd, Family family);

// Whether a packet of a family could leave the namespace: a unicast route through another device than loopback; for
// IPv6, link-local and multicast routes do not count.
struct RouteState {
  bool v4 = false;
  bool v6 = false;
  bool any() const { return v4 || v6; }
  friend bool operator==(const RouteState&, const RouteState&) = default;
};
Result<RouteState> read_routes(int netns_fd);

// A family is redirected where the namespace has a route for it, or has no route at all (then nothing it could reach is
// changed, and interception is all the network it has). Otherwise a connect that fails today would begin to succeed.
struct Families {
  bool v4 = false;
  bool v6 = false;
  friend bool operator==(const Families&, const Families&) = default;
};
Families families_to_redirect(const RouteState& routes);

// Tells when routes, addresses or devices of a namespace change.
class RouteWatch {
 public:
  static Result<RouteWatch> open(int netns_fd);

  int fd() const { return netlink_.get(); }  // readable: drain(), then read_routes() again
  void drain();

 private:
  explicit RouteWatch(Fd netlink) : netlink_(std::move(netlink)) {}
  Fd netlink_;
};

}  // namespace waylay::kernel
