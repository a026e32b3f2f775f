// One upstream connection of a flow: from the wish for a socket, over connecting, to the closed descriptor.
//
//   start ─> WaitingForSocket ─> Connecting ─> Open ─> Closing ─> on_upstream_gone
//
// A failure before Open is told by on_upstream_failed, at once followed by on_upstream_gone.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "base/byte_queue.h"
#include "base/clock.h"
#include "base/tcp_facts.h"
#include "io/connector.h"
#include "io/deferred.h"
#include "io/stream.h"
#include "io/timer.h"
#include "proxy/socket_stock.h"

namespace waylay::proxy {

class Upstream final : private io::Stream::Owner, private io::Connector::Owner {
 public:
  // As the kernel's own limit of two minutes would outlive most clients' patience, and its end be blamed on us.
  static constexpr int64_t kConnectLimit_ns = 30 * kSecond_ns;
  // An upstream that does not read what was sent to it before the close.
  static constexpr int64_t kFlushLimit_ns = 10 * kSecond_ns;

  // All are called from Ring::run_once(), never from within a call of the owner into the upstream.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_upstream_connected(Upstream& upstream) = 0;
    virtual void on_upstream_bytes(Upstream& upstream, Bytes bytes) = 0;
    virtual void on_upstream_end(Upstream& upstream) = 0;
    virtual void on_upstream_sent(Upstream& upstream) = 0;  // more can be sent
    virtual void on_upstream_failed(Upstream& upstream, Error error) = 0;
    virtual void on_upstream_gone(Upstream& upstream) = 0;  // the last call; it may be destroyed now
  };

  Upstream(io::Ring& ring, SocketStock& sockets, uint32_t id, const Address& to, Owner& owner);

  uint32_t id() const { return id_; }
  std::optional<TcpFacts> tcp() const;  // nothing before it is open
  void start();
  void send(ByteQueue& queue);  // as far as it can be taken now; then what was wished for below
  bool ends_when_sent() const { return then_ != Then::Nothing; }
  void shutdown_when_sent();  // FIN
  void close_when_sent();     // nothing more of it is wanted
  void reset();               // at once
  void want_bytes(bool wanted);

 private:
  enum class State { New, WaitingForSocket, Connecting, Open, Closing };
  enum class Then { Nothing, Shutdown, Close };

  void on_socket(Result<Fd> socket);
  void connect(Fd socket);
  void on_connected(io::Connector& connector, Fd connection) override;
  void on_connect_failed(io::Connector& connector, Error error) override;
  void on_received(io::Stream& stream, Bytes bytes) override;
  void on_end(io::Stream& stream) override;
  void on_sent(io::Stream& stream) override;
  void on_error(io::Stream& stream, Error error) override;
  void on_closed(io::Stream& stream) override;
  bool unwanted() const { return then_ == Then::Close; }  // only what is queued for it still counts
  void abandon_before_open();
  void fail_later(Error error);
  void tell();
  void flush_limit_reached() { reset(); }

  io::Ring& ring_;
  SocketStock& sockets_;
  const uint32_t id_;
  const Address to_;
  Owner& owner_;
  State state_ = State::New;
  Then then_ = Then::Nothing;
  std::optional<Error> failure_;  // to be told
  io::Connector connector_;
  io::Stream stream_;
  Waiter<Fd> socket_ = Waiter<Fd>::calling<&Upstream::on_socket>(this);
  io::Timer flush_limit_;
  io::Deferred tell_ = io::Deferred::calling<&Upstream::tell>(this);
};

}  // namespace waylay::proxy
