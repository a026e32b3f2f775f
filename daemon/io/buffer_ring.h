// The receive buffers of one worker (IORING_REGISTER_PBUF_RING, io_uring_register(2)): the kernel takes one when bytes
// have come, so a waiting receive holds none, and an idle connection costs no buffer. A buffer goes back before the
// callback that was given its bytes returns to the ring. What happens when none is left: receive.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

struct io_uring;

namespace waylay::io {

// Memory mapped anonymously: zero until touched, and only what was touched is resident.
class Mapping {
 public:
  Mapping() = default;
  static Result<Mapping> make(size_t size);
  Mapping(Mapping&& other) noexcept { *this = std::move(other); }
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Mapping();
  std::byte* data() const { return data_; }

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

class BufferRing {
 public:
  // `count` is a power of two, at most 32768. Registered with `ring`, in whose lifetime it stays so.
  static Result<BufferRing> make(io_uring* ring, unsigned count, unsigned size);

  Bytes bytes(uint16_t id, size_t length) const { return {buffers_.data() + size_t{id} * size_, length}; }
  void give_back(uint16_t id);

 private:
  Mapping entries_;
  Mapping buffers_;
  unsigned count_ = 0;
  unsigned size_ = 0;
};

}  // namespace waylay::io
