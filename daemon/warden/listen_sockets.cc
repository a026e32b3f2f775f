#include "warden/listen_sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

namespace waylay::warden {
namespace {

constexpr int kBacklog = 4096;  // a burst of connects waits in the kernel; net.core.somaxconn bounds it further

Result<Fd> open_one(const Address& address) {
  std::string what = "listening on " + address.to_string();
  sockaddr_storage name{};
  socklen_t length = address.to_sockaddr(name);
  Fd made(::socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made) return fail(posix_error(errno, what));
  const int on = 1;
  ::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::setsockopt(made.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0) return fail(posix_error(errno, what));
  ::setsockopt(made.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (address.family == Family::Ipv6) ::setsockopt(made.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (::bind(made.get(), reinterpret_cast<const sockaddr*>(&name), length) < 0) return fail(posix_error(errno, what));
  if (::listen(made.get(), kBacklog) < 0) return fail(posix_error(errno, what));
  return made;
}

Result<Address> bound_address(int socket) {
  sockaddr_storage name{};
  socklen_t length = sizeof name;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&name), &length) < 0)
    return fail(posix_error(errno, "listening"));
  return Address::from_sockaddr(name);
}

// SO_REUSEPORT would let a second daemon of the same user share the port silently; an address in use must be an error.
Result<void> check_free(const Address& address) {
  sockaddr_storage name{};
  socklen_t length = address.to_sockaddr(name);
  Fd probe(::socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe) return fail(posix_error(errno, "listening on " + address.to_string()));
  const int on = 1;
  ::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.family == Family::Ipv6) ::setsockopt(probe.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (::bind(probe.get(), reinterpret_cast<const sockaddr*>(&name), length) == 0) return {};
  return fail(posix_error(errno, "listening on " + address.to_string()));
}

}  // namespace

Result<ListenSockets> open_listen_sockets(const Address& address, unsigned count) {
  ListenSockets opened{{}, address};
  if (Result<void> is_free = check_free(address); !is_free) return fail(is_free);
  for (unsigned i = 0; i < count; ++i) {
    Result<Fd> one = open_one(opened.bound);
    if (!one) return fail(one);
    opened.sockets.push_back(std::move(*one));
    Result<Address> bound = bound_address(opened.sockets.front().get());
    if (!bound) return fail(bound);
    opened.bound = *bound;
  }
  return opened;
}

}  // namespace waylay::warden
