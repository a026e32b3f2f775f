// Sockets for connections to upstreams, made by the warden in the target's network namespace (so that routes, policies
// and the source address are the target's own) and kept in stock, since asking costs a round trip. An empty stock makes
// a flow wait, never fail. One per target and worker; dropped with the target, since an idle socket keeps its namespace
// alive.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/handle.h"
#include "io/timer.h"
#include "proxy/waiter.h"

namespace waylay::proxy {

class WardenLink;

class SocketStock {
 public:
  static constexpr size_t kIdle = 4;      // of each family while little happens
  static constexpr size_t kMaximum = 32;  // under load; as many as one message may ask for

  // Target 0 (--listen) has no namespace of its own: its sockets are made here.
  SocketStock(io::Timers& timers, WardenLink& warden, uint32_t target)
      : warden_(warden), target_(target), shrink_(io::Timer::calling<&SocketStock::shrink>(this, timers)) {}
  ~SocketStock();

  void prepare(Family family);  // fills the stock, for a family that will be wanted

  // An answer at once, or nothing: then the waiter gets it later.
  std::optional<Result<Fd>> take(Family family, Waiter<Fd>& waiter, int64_t now_ns);

  void put(Family family, Result<std::vector<Fd>> sockets);  // the warden's answers, in the order of the questions
  void drop(const Error& why);                               // closes the stock; who waits, or asks later, is told

 private:
  struct Shelf {
    std::vector<Fd> sockets;
    Waiters<Fd> waiters;
    std::deque<size_t> asked;  // what each question that is not answered yet asked for
    size_t coming = 0;         // their sum
    size_t goal = kIdle;
    bool used = false;  // since the last shrink()
  };
  Shelf& shelf(Family family) { return family == Family::Ipv4 ? v4_ : v6_; }
  void refill(Family family);
  void shrink();
  static void shrink_shelf(Shelf& shelf);

  WardenLink& warden_;
  const uint32_t target_;
  Shelf v4_, v6_;
  std::optional<Error> dropped_;
  io::Timer shrink_;
};

}  // namespace waylay::proxy
