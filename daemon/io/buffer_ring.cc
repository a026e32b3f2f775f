#include "io/buffer_ring.h"

#include <liburing.h>
#include <sys/mman.h>

#include <bit>
#include <cstddef>

#include "base/check.h"

namespace waylay::io {
namespace {

// In C++ an empty structure in front of the flexible array would move it (a fault of some kernel headers).
static_assert(offsetof(io_uring_buf_ring, bufs) == 0);

io_uring_buf_ring* ring_in(const Mapping& entries) {
  return reinterpret_cast<io_uring_buf_ring*>(entries.data());
}

}  // namespace

Result<Mapping> Mapping::make(size_t size) {
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) return fail(posix_error(errno, "mapping memory for receive buffers"));
  Mapping mapping;
  mapping.data_ = static_cast<std::byte*>(data);
  mapping.size_ = size;
  return mapping;
}

Mapping::~Mapping() {
  if (data_) munmap(data_, size_);
}

Result<BufferRing> BufferRing::make(io_uring* ring, unsigned count, unsigned size) {
  CHECK(std::has_single_bit(count) && count <= 32768);
  Result<Mapping> entries = Mapping::make(count * sizeof(io_uring_buf));
  if (!entries) return fail(entries);
  Result<Mapping> buffers = Mapping::make(size_t{count} * size);
  if (!buffers) return fail(buffers);

  BufferRing made;
  made.entries_ = std::move(*entries);
  made.buffers_ = std::move(*buffers);
  made.count_ = count;
  made.size_ = size;

  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<uintptr_t>(made.entries_.data());
  registration.ring_entries = count;
  registration.bgid = 0;
  if (int code = io_uring_register_buf_ring(ring, &registration, 0); code < 0)
    return fail(posix_error(-code, "registering the receive buffers with io_uring (Linux 5.19 or newer is needed)"));
  for (unsigned id = 0; id < count; id++) made.give_back(static_cast<uint16_t>(id));
  return made;
}

void BufferRing::give_back(uint16_t id) {
  CHECK(id < count_);
  io_uring_buf_ring* ring = ring_in(entries_);
  io_uring_buf_ring_add(ring, buffers_.data() + size_t{id} * size_, size_, id, io_uring_buf_ring_mask(count_), 0);
  io_uring_buf_ring_advance(ring, 1);
}

}  // namespace waylay::io
