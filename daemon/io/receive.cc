#include "io/receive.h"

#include <cerrno>

#include "io/ring.h"

namespace waylay::io {

void Receive::start(int fd) {
  CHECK(!pending());
  fd_ = fd;
  cancelled_ = false;
  ring_.queue(*this);
}

void Receive::cancel() {
  unlink();
  cancelled_ = true;
  ring_.cancel(op_);
}

void Receive::completed(const Completion& completion) {
  if (completion.result == -ENOBUFS && !cancelled_) return ring_.wait_for_buffer(*this);
  drained_ = !completion.more_to_receive();
  if (!completion.has_buffer()) return callback_(owner_, completion.result, {});
  BufferRing& buffers = ring_.buffers();
  size_t length = completion.result > 0 ? static_cast<size_t>(completion.result) : 0;
  callback_(owner_, completion.result, buffers.bytes(completion.buffer(), length));
  buffers.give_back(completion.buffer());
}

}  // namespace waylay::io
