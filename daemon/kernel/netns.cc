#include "kernel/netns.h"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>
#include <thread>

#include "kernel/flow_map.h"

namespace waylay::kernel {
namespace {

constexpr int kBacklog = 4096;     // bursts of connects; the kernel cuts it to net.core.somaxconn
constexpr int kPortAttempts = 16;  // ports free for IPv4 and taken for IPv6 in a row before the two may differ

Result<Fd> open_namespace_file(const std::string& path, std::string_view whose) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd) return fd;
  if (errno == ENOENT) return fail(Error::local(ErrorKind::NotFound, "there is no " + std::string(whose)));
  return fail(posix_error(errno, "opening the network namespace of " + std::string(whose)));
}

int domain_of(Family family) {
  return family == Family::Ipv4 ? AF_INET : AF_INET6;
}

Result<Fd> make_tcp_socket(Family family) {
  Fd fd(::socket(domain_of(family), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP));
  if (!fd) return fail(posix_error(errno, family == Family::Ipv4 ? "making an IPv4 socket" : "making an IPv6 socket"));
  return fd;
}

Result<void> set_option(int fd, int level, int option, std::string_view name) {
  int on = 1;
  if (setsockopt(fd, level, option, &on, sizeof on) == 0) return {};
  return fail(posix_error(errno, "setting " + std::string(name)));
}

Address loopback(Family family, uint16_t port) {
  if (family == Family::Ipv4) return Address::ipv4(htonl(INADDR_LOOPBACK), port);
  return Address::ipv6(&in6addr_loopback, port);
}

Result<Fd> listen_on(const Address& address) {
  Result<Fd> fd = make_tcp_socket(address.family);
  if (!fd) return fd;
  if (Result<void> set = set_option(fd->get(), SOL_SOCKET, SO_REUSEPORT, "SO_REUSEPORT"); !set) return fail(set);
  if (Result<void> set = set_option(fd->get(), IPPROTO_TCP, TCP_NODELAY, "TCP_NODELAY"); !set) return fail(set);
  if (address.family == Family::Ipv6)
    if (Result<void> set = set_option(fd->get(), IPPROTO_IPV6, IPV6_V6ONLY, "IPV6_V6ONLY"); !set) return fail(set);
  sockaddr_storage name{};
  socklen_t size = address.to_sockaddr(name);
  if (bind(fd->get(), reinterpret_cast<sockaddr*>(&name), size) != 0 || listen(fd->get(), kBacklog) != 0)
    return fail(posix_error(errno, "listening on " + address.to_string()));
  return fd;
}

Result<uint16_t> port_of(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0)
    return fail(posix_error(errno, "asking for a listener's port"));
  Result<Address> address = Address::from_sockaddr(name);
  if (!address) return fail(address);
  return address->port;
}

struct Group {
  std::vector<Fd> listeners;
  uint16_t port = 0;
};

Result<Group> open_group(Family family, uint16_t port, int count) {
  Group group;
  group.port = port;
  for (int i = 0; i < count; ++i) {
    Result<Fd> listener = listen_on(loopback(family, group.port));
    if (!listener) return fail(listener);
    if (group.port == 0) {
      Result<uint16_t> chosen = port_of(listener->get());
      if (!chosen) return fail(chosen);
      group.port = *chosen;
    }
    group.listeners.push_back(std::move(*listener));
  }
  return group;
}

// No IPv6 in the kernel, or none on this namespace's loopback (disable_ipv6).
bool means_absent(const Error& error) {
  return error.code == EAFNOSUPPORT || error.code == EADDRNOTAVAIL;
}

// Called inside the namespace. `last` accepts ports that differ.
Result<std::optional<Listeners>> try_listeners(int count, bool last) {
  Result<Group> v4 = open_group(Family::Ipv4, 0, count);
  if (!v4 && !means_absent(v4.error())) return fail(v4);
  uint16_t wanted = v4 ? v4->port : 0;
  Result<Group> v6 = open_group(Family::Ipv6, wanted, count);
  if (!v6 && v6.error().code == EADDRINUSE && !last) return std::nullopt;
  if (!v6 && v6.error().code == EADDRINUSE) v6 = open_group(Family::Ipv6, 0, count);
  if (!v6 && !means_absent(v6.error())) return fail(v6);
  if (!v4 && !v6) return fail(v4);
  Listeners both;
  if (v4) both.port_v4 = v4->port, both.v4 = std::move(v4->listeners);
  if (v6) both.port_v6 = v6->port, both.v6 = std::move(v6->listeners);
  return both;
}

// A listener can be bound while the device is down, and nobody would ever reach it.
Result<void> check_loopback_is_up() {
  Result<Fd> control = make_tcp_socket(Family::Ipv4);
  if (!control) control = make_tcp_socket(Family::Ipv6);
  if (!control) return fail(control);
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", sizeof "lo");
  if (ioctl(control->get(), SIOCGIFFLAGS, &request) != 0)
    return fail(posix_error(errno, "looking at the loopback device"));
  if (request.ifr_flags & IFF_UP) return {};
  return fail(Error::local(ErrorKind::Unavailable,
                           "the loopback device of this network namespace is down: `ip link set lo up` in it"));
}

Result<Listeners> open_listeners_here(int count) {
  if (Result<void> up = check_loopback_is_up(); !up) return fail(up);
  for (int attempt = 1;; ++attempt) {
    Result<std::optional<Listeners>> both = try_listeners(count, attempt == kPortAttempts);
    if (!both) return fail(both);
    if (*both) return std::move(**both);
  }
}

}  // namespace

Result<Fd> open_netns(pid_t pid) {
  return open_namespace_file("/proc/" + std::to_string(pid) + "/ns/net", "process " + std::to_string(pid));
}

Result<Fd> open_netns_at(const std::string& path) {
  return open_namespace_file(path, "network namespace " + path);
}

Result<uint64_t> netns_inode(int netns_fd) {
  struct stat status{};
  if (fstat(netns_fd, &status) != 0) return fail(posix_error(errno, "asking for a network namespace's identity"));
  return status.st_ino;
}

Result<uint64_t> netns_cookie_of(int netns_fd) {
  Result<Fd> socket = open_socket(netns_fd, Family::Ipv4);
  if (!socket) return fail(socket);
  return netns_cookie(socket->get());
}

Result<void> run_in_netns(int netns_fd, const std::function<void()>& work) {
  int refused = 0;
  auto enter_and_work = [&] {
    if (setns(netns_fd, CLONE_NEWNET) != 0) {
      refused = errno;
      return;
    }
    work();
  };
  try {
    std::thread(enter_and_work).join();
  } catch (const std::system_error& error) {
    return fail(posix_error(error.code().value(), "starting a thread for another network namespace"));
  }
  if (refused == EPERM)
    return fail(posix_error(EPERM, "entering the network namespace (the daemon needs CAP_SYS_ADMIN)"));
  if (refused != 0) return fail(posix_error(refused, "entering the network namespace"));
  return {};
}

Result<Listeners> open_listeners(int netns_fd, int count) {
  Result<Listeners> listeners;
  if (Result<void> ran = run_in_netns(netns_fd, [&] { listeners = open_listeners_here(count); }); !ran)
    return fail(ran);
  return listeners;
}

Result<Fd> open_socket(int netns_fd, Family family) {
  Result<Fd> socket;
  if (Result<void> ran = run_in_netns(netns_fd, [&] { socket = make_tcp_socket(family); }); !ran) return fail(ran);
  return socket;
}

}  // namespace waylay::kernel
