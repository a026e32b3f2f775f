// One single-shot receive into a buffer of the worker's buffer ring, a member of its owner.
//
// Starting only queues it; the ring arms what is queued at the end of the batch, when all buffers are back. If the
// kernel has no buffer left (-ENOBUFS) the receive waits and is armed at the end of the next batch before all others:
// never an error, never a stall, and busy connections cannot starve quiet ones.
#pragma once

#include "base/bytes.h"
#include "io/list.h"
#include "io/op.h"

namespace waylay::io {

class Ring;

class Receive : public ListNode {
 public:
  // Receive receive_ = Receive::calling<&Stream::receive_done>(this, ring);
  // member(int result, Bytes bytes): result is -errno, 0 at the end of the stream, or bytes.size(). The bytes are
  // borrowed for the call.
  template <auto member, class Owner>
  static Receive calling(Owner* owner, Ring& ring) {
    return Receive(ring, owner,
                   [](void* to, int result, Bytes bytes) { (static_cast<Owner*>(to)->*member)(result, bytes); });
  }

  void start(int fd);  // at most one at a time
  void cancel();       // the callback still comes if in_flight(), and does not otherwise
  bool pending() const { return linked() || op_.in_flight(); }
  bool in_flight() const { return op_.in_flight(); }

 private:
  friend class Ring;
  using Callback = void (*)(void*, int, Bytes);
  Receive(Ring& ring, void* owner, Callback callback) : ring_(ring), owner_(owner), callback_(callback) {}
  void completed(const Completion& completion);

  Ring& ring_;
  void* owner_;
  Callback callback_;
  int fd_ = -1;
  bool cancelled_ = false;
  bool drained_ = false;  // the last one took all there was
  Op op_ = Op::calling<&Receive::completed>(this);
};

}  // namespace waylay::io
