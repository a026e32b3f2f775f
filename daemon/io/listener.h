// Accepts connections of a listening TCP socket. When descriptors run out (EMFILE, ENFILE) or the kernel has no memory,
// it says so once and tries again every tenth of a second: connections wait in the backlog meanwhile, and nothing
// spins.
#pragma once

#include "base/address.h"
#include "base/handle.h"
#include "base/result.h"
#include "io/deferred.h"
#include "io/op.h"
#include "io/timer.h"

namespace waylay::io {

class Ring;

class Listener {
 public:
  // All are called from Ring::run_once().
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_accepted(Listener& listener, Fd connection, const Address& peer) = 0;
    virtual void on_listener_error(Listener& listener, Error error) = 0;  // it closes itself; on_closed() follows
    virtual void on_closed(Listener& listener) = 0;                       // the last call; it may be destroyed now
  };

  Listener(Ring& ring, Owner& owner);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void open(Fd listening);
  void close();  // connections not accepted yet are refused by the kernel, unless another process holds the socket
  int fd() const { return fd_.get(); }

 private:
  enum class State { New, Open, Closing, Closed };

  void start_accept();
  void accepted(const Completion& completion);
  void hand_over(Fd connection);
  void accept_failed(int code);
  void back_off(int code);
  void terminate();
  void join();
  void joined();

  Ring& ring_;
  Owner& owner_;
  State state_ = State::New;
  bool backing_off_ = false;
  Fd fd_;
  Op accept_ = Op::calling<&Listener::accepted>(this);
  Timer retry_;
  Deferred joined_ = Deferred::calling<&Listener::joined>(this);
};

}  // namespace waylay::io
