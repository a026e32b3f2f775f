// The routing half of netns.h: rtnetlink(7).
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/bytes.h"
#include "kernel/netns.h"

namespace waylay::kernel {
namespace {

constexpr uint32_t kLoopbackIndex = 1;  // in every namespace: LOOPBACK_IFINDEX of the kernel

Result<Fd> open_netlink(uint32_t groups, int flags) {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE));
  if (!fd) return fail(posix_error(errno, "opening a netlink socket"));
  sockaddr_nl name{};
  name.nl_family = AF_NETLINK;
  name.nl_groups = groups;
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0)
    return fail(posix_error(errno, "binding a netlink socket"));
  return fd;
}

struct RouteRequest {
  nlmsghdr header;
  rtmsg route;
};

Result<void> ask_for_routes(int netlink) {
  RouteRequest request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_GETROUTE;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.route.rtm_family = AF_UNSPEC;
  if (send(netlink, &request, sizeof request, 0) < 0) return fail(posix_error(errno, "asking for the routes"));
  return {};
}

// What of a route matters; attributes by their type.
struct Route {
  rtmsg head{};
  uint32_t device = 0;  // 0: several next hops
  uint8_t destination[16]{};
};

Route parse_route(Bytes payload) {
  Route route;
  std::memcpy(&route.head, payload.data(), sizeof route.head);
  payload = payload.subspan(NLMSG_ALIGN(sizeof route.head));
  while (payload.size() >= sizeof(rtattr)) {
    rtattr attribute{};
    std::memcpy(&attribute, payload.data(), sizeof attribute);
    if (attribute.rta_len < sizeof attribute || attribute.rta_len > payload.size()) break;
    Bytes value = payload.subspan(sizeof attribute, attribute.rta_len - sizeof attribute);
    if (attribute.rta_type == RTA_OIF && value.size() == 4) std::memcpy(&route.device, value.data(), 4);
    if (attribute.rta_type == RTA_DST && value.size() <= 16) std::memcpy(route.destination, value.data(), value.size());
    payload = payload.subspan(std::min<size_t>(RTA_ALIGN(attribute.rta_len), payload.size()));
  }
  return route;
}

bool leads_out(const Route& route) {
  if (route.head.rtm_type != RTN_UNICAST) return false;                   // local, broadcast, unreachable, ...
  if (route.head.rtm_flags & (RTM_F_CLONED | RTNH_F_DEAD)) return false;  // a cached exception; a downed device
  if (route.device == kLoopbackIndex) return false;
  if (route.head.rtm_family != AF_INET6 || route.head.rtm_dst_len == 0) return true;
  const uint8_t* to = route.destination;
  bool link_local = to[0] == 0xfe && (to[1] & 0xc0) == 0x80;
  bool multicast = to[0] == 0xff;
  return !link_local && !multicast;
}

void note(const Route& route, RouteState& state) {
  if (!leads_out(route)) return;
  if (route.head.rtm_family == AF_INET) state.v4 = true;
  if (route.head.rtm_family == AF_INET6) state.v6 = true;
}

// Says whether the dump is over.
Result<bool> take_messages(Bytes bytes, RouteState& state) {
  while (bytes.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > bytes.size()) break;
    Bytes payload = bytes.subspan(sizeof header, header.nlmsg_len - sizeof header);
    if (header.nlmsg_type == NLMSG_DONE) return true;
    if (header.nlmsg_type == NLMSG_ERROR && payload.size() >= sizeof(nlmsgerr)) {
      nlmsgerr refusal{};
      std::memcpy(&refusal, payload.data(), sizeof refusal);
      return fail(posix_error(-refusal.error, "reading the routes"));
    }
    if (header.nlmsg_type == RTM_NEWROUTE && payload.size() >= sizeof(rtmsg)) note(parse_route(payload), state);
    bytes = bytes.subspan(std::min<size_t>(NLMSG_ALIGN(header.nlmsg_len), bytes.size()));
  }
  return false;
}

Result<RouteState> read_routes_here() {
  Result<Fd> netlink = open_netlink(0, 0);
  if (!netlink) return fail(netlink);
  if (Result<void> asked = ask_for_routes(netlink->get()); !asked) return fail(asked);
  RouteState state;
  std::vector<std::byte> buffer(32768);  // what the kernel fills at most for one read of a dump
  while (true) {
    ssize_t size = recv(netlink->get(), buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail(posix_error(errno, "reading the routes"));
    Result<bool> done = take_messages(Bytes(buffer.data(), static_cast<size_t>(size)), state);
    if (!done) return fail(done);
    if (*done) return state;
  }
}

}  // namespace

Result<RouteState> read_routes(int netns_fd) {
  Result<RouteState> state;
  if (Result<void> ran = run_in_netns(netns_fd, [&] { state = read_routes_here(); }); !ran) return fail(ran);
  return state;
}

Families families_to_redirect(const RouteState& routes) {
  if (!routes.any()) return {.v4 = true, .v6 = true};
  return {.v4 = routes.v4, .v6 = routes.v6};
}

// Addresses and devices too: the kernel does not announce the IPv4 routes that go away with them.
Result<RouteWatch> RouteWatch::open(int netns_fd) {
  constexpr uint32_t kGroups =
      RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_LINK;
  Result<Fd> netlink;
  if (Result<void> ran = run_in_netns(netns_fd, [&] { netlink = open_netlink(kGroups, SOCK_NONBLOCK); }); !ran)
    return fail(ran);
  if (!netlink) return fail(netlink);
  return RouteWatch(std::move(*netlink));
}

void RouteWatch::drain() {
  char buffer[8192];
  // ENOBUFS says that messages were lost: the caller reads everything anew anyway, so it is read away like the others.
  while (recv(netlink_.get(), buffer, sizeof buffer, 0) >= 0 || errno == ENOBUFS || errno == EINTR) {
  }
}

}  // namespace waylay::kernel
