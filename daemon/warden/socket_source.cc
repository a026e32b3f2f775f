#include "warden/socket_source.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "kernel/netns.h"
#include "warden/protocol.h"

namespace waylay::warden {
namespace {

Result<std::vector<Fd>> make_sockets(Family family, int count) {
  std::vector<Fd> sockets;
  for (int i = 0; i < count; ++i) {
    int domain = family == Family::Ipv4 ? AF_INET : AF_INET6;
    Fd made(::socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
    if (!made && sockets.empty()) return fail(posix_error(errno, "making an upstream socket"));
    if (!made) break;  // fewer are a start
    sockets.push_back(std::move(made));
  }
  return sockets;
}

}  // namespace

void SocketSource::add(uint32_t target, Fd netns) {
  std::lock_guard lock(mutex_);
  namespaces_[target] = std::move(netns);
}

Result<void> SocketSource::add_own_network() {
  Fd own(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!own) return fail(posix_error(errno, "opening the daemon's own network namespace"));
  add(kOwnNetwork, std::move(own));
  return {};
}

void SocketSource::remove(uint32_t target) {
  std::lock_guard lock(mutex_);
  namespaces_.erase(target);
}

Result<std::vector<Fd>> SocketSource::make(uint32_t target, Family family, int count) {
  std::lock_guard lock(mutex_);
  auto found = namespaces_.find(target);
  if (found == namespaces_.end() && target == kOwnNetwork)
    return fail(Error::local(ErrorKind::Permission, "handlers are switched off (--no-handlers)"));
  if (found == namespaces_.end())
    return fail(Error::local(ErrorKind::NotFound, "target " + std::to_string(target) + " is not attached"));
  Result<std::vector<Fd>> sockets;
  auto work = [&] { sockets = make_sockets(family, std::clamp(count, 1, kMaximumSocketsAtOnce)); };
  if (Result<void> ran = kernel::run_in_netns(found->second.get(), work); !ran) return fail(ran);
  return sockets;
}

}  // namespace waylay::warden
