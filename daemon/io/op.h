// One operation given to io_uring: a member of its owner, never moved, and idle again before the owner is destroyed.
// The completion carries the Op's address (user_data), never a file descriptor: descriptor numbers are reused while old
// completions are still coming. The memory an operation reads or writes belongs to the kernel until its callback runs.
#pragma once

#include <cstdint>

#include "base/check.h"

namespace waylay::io {

struct Completion {
  int result = 0;  // as the system call's, or -errno
  uint32_t flags = 0;

  bool more() const { return (flags & 2U) != 0; }             // IORING_CQE_F_MORE: a multishot operation goes on
  bool has_buffer() const { return (flags & 1U) != 0; }       // IORING_CQE_F_BUFFER
  bool more_to_receive() const { return (flags & 4U) != 0; }  // IORING_CQE_F_SOCK_NONEMPTY
  uint16_t buffer() const { return static_cast<uint16_t>(flags >> 16); }
};

class Op {
 public:
  // Op receive_ = Op::calling<&Stream::received>(this);
  template <auto member, class Owner>
  static Op calling(Owner* owner) {
    return Op(owner, [](void* to, const Completion& completion) { (static_cast<Owner*>(to)->*member)(completion); });
  }
  Op(const Op&) = delete;
  Op& operator=(const Op&) = delete;
  ~Op() { CHECK(!in_flight_); }

  bool in_flight() const { return in_flight_; }

 private:
  friend class Ring;
  using Callback = void (*)(void*, const Completion&);
  Op(void* owner, Callback callback) : owner_(owner), callback_(callback) {}

  void* owner_;
  Callback callback_;
  bool in_flight_ = false;
};

}  // namespace waylay::io
