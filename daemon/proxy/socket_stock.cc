#include "proxy/socket_stock.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"
#include "proxy/warden_link.h"

namespace waylay::proxy {
namespace {

constexpr int64_t kShrinkAfter_ns = 10 * kSecond_ns;

Result<Fd> make_here(Family family) {
  Fd fd(socket(family == Family::Ipv4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail(posix_error(errno, "making a socket for the upstream"));
  return fd;
}

}  // namespace

SocketStock::~SocketStock() {
  if (!dropped_) drop(Error::local(ErrorKind::Unavailable, "the target is gone"));
}

void SocketStock::prepare(Family family) {
  if (target_ != 0) refill(family);
}

std::optional<Result<Fd>> SocketStock::take(Family family, Waiter<Fd>& waiter, int64_t now_ns) {
  if (target_ == 0) return make_here(family);
  if (dropped_) return fail(*dropped_);
  Shelf& from = shelf(family);
  from.used = true;
  if (!shrink_.running()) shrink_.start_at(now_ns + kShrinkAfter_ns);
  if (from.sockets.empty()) {
    from.goal = std::min(from.goal * 2, kMaximum);
    from.waiters.push_back(waiter);
    refill(family);
    return std::nullopt;
  }
  Fd socket = std::move(from.sockets.back());
  from.sockets.pop_back();
  if (from.sockets.size() < from.goal / 2) refill(family);
  return socket;
}

void SocketStock::refill(Family family) {
  Shelf& to = shelf(family);
  size_t have = to.sockets.size() + to.coming;
  if (have >= to.goal) return;
  size_t count = to.goal - have;
  Result<void> asked = warden_.ask_sockets(target_, family, count);
  if (!asked) return fail_all(to.waiters, asked.error());
  to.asked.push_back(count);
  to.coming += count;
}

void SocketStock::put(Family family, Result<std::vector<Fd>> sockets) {
  Shelf& to = shelf(family);
  if (to.asked.empty() || dropped_) return;  // late: the descriptors are closed
  to.coming -= to.asked.front();
  to.asked.pop_front();
  if (!sockets) return fail_all(to.waiters, sockets.error());
  for (Fd& socket : *sockets) {
    if (Waiter<Fd>* waiter = to.waiters.pop_front())
      waiter->answer(std::move(socket));
    else
      to.sockets.push_back(std::move(socket));
  }
  if (!to.waiters.empty()) refill(family);
}

void SocketStock::drop(const Error& why) {
  dropped_ = why;
  shrink_.stop();
  for (Shelf* each : {&v4_, &v6_}) {
    each->sockets.clear();
    fail_all(each->waiters, why);
  }
}

void SocketStock::shrink() {
  bool used = v4_.used || v6_.used;
  shrink_shelf(v4_);
  shrink_shelf(v6_);
  if (used) shrink_.start_at(shrink_.deadline_ns() + kShrinkAfter_ns);
}

void SocketStock::shrink_shelf(Shelf& from) {
  if (std::exchange(from.used, false)) return;
  from.goal = kIdle;
  if (from.sockets.size() > kIdle) from.sockets.resize(kIdle);
}

}  // namespace waylay::proxy
