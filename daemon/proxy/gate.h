// One target at one worker: its listeners, its stock of upstream sockets, its connections.
//
//   Open ──drain()──> Draining ──no handshake in flight, or the limit──> listeners closed, `drained` is called
//                                                                        ──last connection ended──> closed()
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "io/listener.h"
#include "io/timer.h"
#include "kernel/flow_map.h"
#include "proxy/connection.h"
#include "proxy/socket_stock.h"
#include "proxy/target.h"

namespace waylay::proxy {

class Gate final : private io::Listener::Owner, private Connection::Owner {
 public:
  // Between the end of the redirect and the close of the listeners: a connect() that the kernel has just redirected
  // needs some time to arrive.
  static constexpr int64_t kGrace_ns = 200 * kMillisecond_ns;
  static constexpr int64_t kDrainLimit_ns = 5 * kSecond_ns;

  using Drained = std::move_only_function<void()>;

  Gate(Tools& tools, WardenLink& warden, const kernel::FlowMap& flow_map, std::shared_ptr<const Target> target);
  ~Gate() override;

  void open(std::vector<Fd> listeners);
  void drain(int64_t grace_ns, Drained drained);
  void detach_connections();  // both sides of each are closed
  void abort_connections();   // at once
  size_t connections() const { return connections_.size(); }
  bool closed() const { return listeners_.empty() && connections_.empty() && !drained_; }  // may be destroyed

  const Target& target() const { return *target_; }
  SocketStock& sockets() { return sockets_; }

 private:
  struct Door {
    std::unique_ptr<io::Listener> listener;
    uint16_t port = 0;
  };

  // The bases are private, std::make_unique may not convert.
  io::Listener::Owner& listener_owner() { return *this; }
  Connection::Owner& connection_owner() { return *this; }

  void on_accepted(io::Listener& listener, Fd connection, const Address& peer) override;
  void on_listener_error(io::Listener& listener, Error error) override;
  void on_closed(io::Listener& listener) override;
  void on_outcome(flow::Outcome before, flow::Outcome now) override;
  void on_ended(Connection& connection) override;
  void refuse(Fd connection, const Error& why);
  uint16_t port_of(const io::Listener& listener) const;
  bool any_handshake() const;
  void look_whether_drained();
  void close_listeners();
  void tell_drained();

  Tools& tools_;
  const kernel::FlowMap& flow_map_;
  std::shared_ptr<const Target> target_;
  SocketStock sockets_;
  std::vector<Door> listeners_;
  std::unordered_map<const Connection*, std::unique_ptr<Connection>> connections_;
  Drained drained_;
  int64_t drain_until_ns_ = 0;
  io::Timer drain_;
};

}  // namespace waylay::proxy
