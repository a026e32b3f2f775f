#include "proxy/origin.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "io/socket.h"

namespace waylay::proxy {
namespace {

// <linux/netfilter_ipv4.h>, <linux/netfilter_ipv6/ip6_tables.h>: these headers and netinet/in.h exclude each other.
constexpr int kOriginalDestination = 80;

Error not_redirected(const Address& peer) {
  return Error::client(ErrorKind::NotFound, "the connection from " + peer.to_string() + " was not redirected");
}

Result<Address> conntrack_destination(int socket, const Address& peer) {
  bool ipv6 = peer.family == Family::Ipv6 && !peer.is_v4_mapped();
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getsockopt(socket, ipv6 ? SOL_IPV6 : SOL_IP, kOriginalDestination, &storage, &length) < 0)
    return fail(not_redirected(peer));  // ENOENT: conntrack has not seen it; ENOPROTOOPT: it is not loaded
  return Address::from_sockaddr(storage);
}

Result<flow::FlowFacts> from_conntrack(int connection, const Address& peer) {
  Result<Address> destination = conntrack_destination(connection, peer);
  if (!destination) return fail(destination);
  Result<Address> own = io::own_address(connection);
  if (!own) return fail(own);
  if (destination->unmapped() == own->unmapped()) return fail(not_redirected(peer));
  flow::FlowFacts facts;
  facts.destination = destination->unmapped();
  return facts;
}

Result<flow::FlowFacts> from_flow_map(const Target& target, const kernel::FlowMap& flow_map, const Address& peer,
                                      uint16_t listener_port) {
  Result<std::optional<kernel::Origin>> found = flow_map.find(target.info.netns_cookie, peer, listener_port);
  if (!found) return fail(found);
  if (!*found || (*found)->target != target.id) return fail(not_redirected(peer));
  kernel::Origin& origin = **found;
  flow::FlowFacts facts;
  facts.destination = origin.destination;
  facts.owner.pid = static_cast<uint32_t>(origin.pid);
  facts.owner.tid = static_cast<uint32_t>(origin.tid);
  facts.owner.uid = origin.uid;
  facts.owner.gid = origin.gid;
  facts.owner.cgroup_id = origin.cgroup_id;
  facts.owner.comm = std::move(origin.comm);
  facts.owner.container_id = target.info.container_id;
  facts.owner.container_name = target.info.container_name;
  facts.owner.container_image = target.info.container_image;
  return facts;
}

}  // namespace

Result<flow::FlowFacts> find_origin(const Target& target, const kernel::FlowMap& flow_map, int connection,
                                    const Address& peer, uint16_t listener_port) {
  Result<flow::FlowFacts> facts =
      target.id == 0 ? from_conntrack(connection, peer) : from_flow_map(target, flow_map, peer, listener_port);
  if (!facts) return facts;
  facts->target = target.id;
  facts->target_name = target.info.name;
  facts->client = peer.unmapped();
  return facts;
}

}  // namespace waylay::proxy
