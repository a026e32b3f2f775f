// A SOCK_SEQPACKET Unix socket in a ring: whole messages of at most 64 KiB, each with up to 64 descriptors (SCM_RIGHTS,
// unix(7)). Used between the two processes of the daemon.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/handle.h"
#include "base/result.h"
#include "io/deferred.h"
#include "io/op.h"

namespace waylay::io {

class Ring;

class MessageSocket {
 public:
  static constexpr size_t kMaxMessage = 64 * 1024;
  static constexpr size_t kMaxDescriptors = 64;
  // The other process answers each message or is hung; a queue this long means the latter, and memory must not grow
  // with it.
  static constexpr size_t kMaxQueued = 4096;

  // All are called from Ring::run_once().
  class Owner {
   public:
    virtual ~Owner() = default;
    // Fewer descriptors than were sent (MSG_CTRUNC) when this process may open no more: no reason to end the
    // conversation.
    virtual void on_message(MessageSocket& socket, Bytes message,
                            std::vector<Fd> descriptors) = 0;  // bytes are borrowed
    virtual void on_lost(MessageSocket& socket,
                         Error error) = 0;  // ended by the other side (Unavailable) or failed; on_closed() follows
    virtual void on_closed(MessageSocket& socket) = 0;  // the last call; it may be destroyed now
  };

  MessageSocket(Ring& ring, Owner& owner);
  ~MessageSocket();
  MessageSocket(const MessageSocket&) = delete;
  MessageSocket& operator=(const MessageSocket&) = delete;

  void open(Fd fd);
  // Queued, sent in order; 1 to kMaxMessage bytes (an empty one would look like the end). The descriptors are closed
  // here once sent.
  Result<void> send(Bytes message, std::vector<Fd> descriptors = {});
  void close();  // what is queued is dropped
  bool open() const { return state_ == State::Open; }

 private:
  enum class State { New, Open, Closing, Closed };
  struct Outgoing;
  struct Incoming;

  void start_receive();
  void received(const Completion& completion);
  void start_send();
  void sent(const Completion& completion);
  void lost(Error error);
  void terminate();
  void join();
  void joined();

  Ring& ring_;
  Owner& owner_;
  State state_ = State::New;
  Fd fd_;
  std::unique_ptr<Incoming> incoming_;
  std::deque<std::unique_ptr<Outgoing>> outgoing_;  // the first is the kernel's while send_ is in flight
  Op receive_ = Op::calling<&MessageSocket::received>(this);
  Op send_ = Op::calling<&MessageSocket::sent>(this);
  Deferred joined_ = Deferred::calling<&MessageSocket::joined>(this);
};

}  // namespace waylay::io
