// A call of a rule's handler for one exchange: a socket of the daemon's own network, or a Unix socket that the proxy's
// user may connect to. Bounded by the handler's time-out.
#pragma once

#include <memory>
#include <string>

#include "hook/call.h"
#include "io/connector.h"
#include "io/stream.h"
#include "io/timer.h"
#include "proxy/socket_stock.h"

namespace waylay::proxy {

class HandlerCall final : private io::Connector::Owner, private io::Stream::Owner {
 public:
  // Called from Ring::run_once().
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_handler_answer(HandlerCall& call, Result<hook::Answer> answer) = 0;  // once, unless cancelled
    virtual void on_handler_gone(HandlerCall& call) = 0;                                 // the last call; destroy it
  };

  HandlerCall(io::Ring& ring, SocketStock& sockets, uint64_t exchange, std::shared_ptr<const rules::Handler> handler,
              std::string_view event, Owner& owner);

  void start();
  void cancel();  // nobody wants the answer any more
  uint64_t exchange() const { return exchange_; }

 private:
  void on_socket(Result<Fd> socket);
  void connect(Fd socket);
  void on_connected(io::Connector& connector, Fd connection) override;
  void on_connect_failed(io::Connector& connector, Error error) override;
  void on_received(io::Stream& stream, Bytes bytes) override;
  void on_end(io::Stream& stream) override;
  void on_sent(io::Stream&) override {}
  void on_error(io::Stream& stream, Error error) override;
  void on_closed(io::Stream& stream) override;
  void on_limit();
  void answer_if_done();
  void answer(Result<hook::Answer> answer);
  void gone();

  io::Ring& ring_;
  SocketStock& sockets_;
  const uint64_t exchange_;
  const std::shared_ptr<const rules::Handler> handler_;
  hook::Call call_;
  Owner& owner_;
  std::optional<Error> failure_;
  bool answered_ = false;  // or not wanted
  Waiter<Fd> socket_ = Waiter<Fd>::calling<&HandlerCall::on_socket>(this);
  io::Connector connector_;
  io::Stream stream_;
  io::Timer limit_;
  io::Deferred gone_ = io::Deferred::calling<&HandlerCall::gone>(this);
};

}  // namespace waylay::proxy
