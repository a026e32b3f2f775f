#include "kernel/flow_map.h"

#include <linux/bpf.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bpf/waylay.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

namespace waylay::kernel {
namespace {

static_assert(static_cast<int>(Family::Ipv4) == WAYLAY_IPV4 && static_cast<int>(Family::Ipv6) == WAYLAY_IPV6);

// False when there is no such entry.
Result<bool> look_up(int map_fd, const void* key, void* value) {
  bpf_attr attributes{};
  attributes.map_fd = static_cast<uint32_t>(map_fd);
  attributes.key = reinterpret_cast<uint64_t>(key);
  attributes.value = reinterpret_cast<uint64_t>(value);
  if (syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attributes, sizeof attributes) == 0) return true;
  if (errno == ENOENT) return false;
  return fail(posix_error(errno, "looking up a kernel map"));
}

waylay_flow_key key_of(uint64_t cookie, const Address& client, uint16_t listener_port) {
  Address plain = client.unmapped();
  waylay_flow_key key{};
  key.netns_cookie = cookie;
  std::memcpy(key.source, plain.ip.data(), plain.family == Family::Ipv4 ? 4 : 16);
  key.source_port = plain.port;
  key.listener_port = listener_port;
  key.family = static_cast<uint8_t>(plain.family);
  return key;
}

Address destination_of(const waylay_origin& origin) {
  Address address;
  address.family = static_cast<Family>(origin.family);
  std::memcpy(address.ip.data(), origin.address, sizeof origin.address);
  address.port = origin.port;
  return address;
}

Origin to_origin(const waylay_origin& from) {
  Origin origin;
  origin.destination = destination_of(from);
  origin.v4_mapped = from.v4_mapped != 0;
  origin.target = from.target;
  origin.pid = static_cast<pid_t>(from.pid);
  origin.tid = static_cast<pid_t>(from.tid);
  origin.uid = from.uid;
  origin.gid = from.gid;
  origin.cgroup_id = from.cgroup_id;
  origin.comm.assign(from.comm, strnlen(from.comm, sizeof from.comm));
  origin.start_steady_ns = static_cast<int64_t>(from.start_ns);
  return origin;
}

}  // namespace

Result<std::optional<Origin>> FlowMap::find(uint64_t netns_cookie, const Address& client,
                                            uint16_t listener_port) const {
  waylay_flow_key key = key_of(netns_cookie, client, listener_port);
  waylay_origin origin{};
  Result<bool> found = look_up(fd_.get(), &key, &origin);
  if (!found) return fail(found, "finding the origin of " + client.to_string());
  if (!*found) return std::nullopt;
  return to_origin(origin);
}

Result<TargetCounters> read_counters(int counters_fd, uint32_t target) {
  waylay_counters raw{};
  Result<bool> found = look_up(counters_fd, &target, &raw);
  if (!found) return fail(found, "reading the counters of target " + std::to_string(target));
  TargetCounters counters;
  counters.seen = raw.value[WAYLAY_SEEN];
  counters.redirected = raw.value[WAYLAY_REDIRECTED];
  counters.bypassed_device = raw.value[WAYLAY_BYPASSED_DEVICE];
  counters.bypassed_no_route = raw.value[WAYLAY_BYPASSED_NO_ROUTE];
  counters.bypassed_excluded_process = raw.value[WAYLAY_BYPASSED_EXCLUDED_PROCESS];
  counters.not_target_process = raw.value[WAYLAY_NOT_TARGET_PROCESS];
  counters.bypassed_loopback = raw.value[WAYLAY_BYPASSED_LOOPBACK];
  counters.bypassed_link_local = raw.value[WAYLAY_BYPASSED_LINK_LOCAL];
  counters.bypassed_other_netns = raw.value[WAYLAY_BYPASSED_OTHER_NETNS];
  counters.map_full = raw.value[WAYLAY_MAP_FULL];
  counters.unlisted = raw.value[WAYLAY_UNLISTED];
  counters.bypassed_earlier = raw.value[WAYLAY_BYPASSED_EARLIER];
  counters.udp_refused = raw.value[WAYLAY_UDP_REFUSED];
  return counters;
}

Result<uint64_t> netns_cookie(int socket_fd) {
  uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  if (getsockopt(socket_fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) != 0)
    return fail(posix_error(errno, "asking for a socket's network namespace"));
  return cookie;
}

}  // namespace waylay::kernel
