// Connects a given socket to an address, with a time limit. After start() exactly one of the owner's two functions is
// called, from Ring::run_once(), as the last thing: it may destroy the connector or start it again.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "base/address.h"
#include "base/handle.h"
#include "base/result.h"
#include "io/op.h"
#include "io/timer.h"

namespace waylay::io {

class Ring;

class Connector {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_connected(Connector& connector, Fd connection) = 0;
    virtual void on_connect_failed(Connector& connector,
                                   Error error) = 0;  // Timeout, System (errno in code) or, cancelled, Unavailable
  };

  Connector(Ring& ring, Side side, Owner& owner);
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  void start(Fd socket, const Address& to, int64_t limit_ns);
  void start(Fd socket, const std::string& unix_path, int64_t limit_ns);  // CHECKed: it fits into a sockaddr_un
  void cancel();
  bool running() const { return connect_.in_flight(); }

 private:
  enum class Verdict { None, TimedOut, Cancelled };

  void start(Fd socket, std::string name, socklen_t length, int64_t limit_ns);
  void completed(const Completion& completion);
  void on_limit();
  void give_up(Verdict verdict);
  Error failure(int code) const;

  Ring& ring_;
  const Side side_;
  Owner& owner_;
  Verdict verdict_ = Verdict::None;  // why we asked the kernel to stop trying
  Fd fd_;
  std::string name_;            // of the other end, for errors
  sockaddr_storage address_{};  // the kernel's while connect_ is in flight
  int64_t limit_ns_ = 0;
  Op connect_ = Op::calling<&Connector::completed>(this);
  Timer limit_;
};

}  // namespace waylay::io
