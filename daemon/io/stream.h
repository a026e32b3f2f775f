// A connected TCP socket in a ring: at most one receive and one send in flight, each direction ended on its own.
//
// The owner keeps its bytes for the peer in a ByteQueue of its own and offers it with send(): an idle stream takes them
// all by a swap, a busy one leaves them there (the owner's queue is the second buffer) until on_sent().
//
//     open ──> Open ──close(), reset(), error──> Closing ──nothing in flight──> on_closed ──> Closed
//
// Closing is the only way out: terminate (no new work, cancel what is in flight), join (wait for the kernel to let go
// of it), close the descriptor, on_closed(). The owner may destroy the stream in on_closed() or when it was never
// opened.
#pragma once

#include <cstddef>

#include "base/byte_queue.h"
#include "base/bytes.h"
#include "base/handle.h"
#include "base/result.h"
#include "io/deferred.h"
#include "io/op.h"
#include "io/receive.h"

namespace waylay::io {

class Ring;

class Stream {
 public:
  // All are called from Ring::run_once(), never from within a call of the owner into the stream.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_received(Stream& stream, Bytes bytes) = 0;  // borrowed for the call
    virtual void on_end(Stream& stream) = 0;                    // the peer's FIN; sending may go on
    virtual void on_sent(Stream& stream) = 0;  // some bytes have gone; unless sending(), more can be handed over
    virtual void on_error(Stream& stream, Error error) = 0;  // the stream closes itself; on_closed() follows
    virtual void on_closed(Stream& stream) = 0;              // the last call
  };

  Stream(Ring& ring, Side side, Owner& owner) : ring_(ring), side_(side), owner_(owner) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void open(Fd fd);  // connected; receiving begins at once, unless paused
  int fd() const { return fd_.get(); }

  // A paused stream starts no receive; called outside on_received(), one that is already in flight may still deliver
  // (at most one receive buffer).
  void pause_receive() { paused_ = true; }
  void resume_receive();
  bool receive_paused() const { return paused_; }

  void send(ByteQueue& from);  // takes everything, or nothing if sending()
  bool sending() const { return !sending_.empty(); }
  size_t unsent() const { return sending_.size(); }
  void shutdown_write();  // FIN after what was taken is sent; what is offered afterwards is dropped

  void
  close();  // unsent bytes are dropped. The kernel tells the peer with FIN, or with RST if it has bytes nobody read
  void reset();  // the peer gets RST

  bool open() const { return state_ == State::Open; }
  bool closed() const { return state_ == State::New || state_ == State::Closed; }  // may be destroyed
  bool ended() const { return receive_ended_; }                                    // on_end() was called
  bool write_shut() const { return write_shut_; }

 private:
  enum class State { New, Open, Closing, Closed };
  // The peer gave up the connection; what it sent before may still be waiting to be received.
  static bool means_peer_is_gone(int code);

  void start_receive();
  void received(int result, Bytes bytes);
  void end_received();
  void start_send();
  void sent(const Completion& completion);
  void send_failed(int code);
  void shut_write_when_flushed();
  void broken(int code, std::string_view what);
  void terminate();
  void join();
  void joined();

  Ring& ring_;
  const Side side_;
  State state_ = State::New;
  bool paused_ = false;
  bool receive_ended_ = false;
  bool shutdown_wanted_ = false;
  bool write_shut_ = false;
  int send_error_ = 0;  // errno that ended sending; told once what the peer sent before is received
  Owner& owner_;
  Fd fd_;
  ByteQueue sending_;  // the kernel's while send_ is in flight
  Receive receive_ = Receive::calling<&Stream::received>(this, ring_);
  Op send_ = Op::calling<&Stream::sent>(this);
  Deferred joined_ = Deferred::calling<&Stream::joined>(this);
};

}  // namespace waylay::io
