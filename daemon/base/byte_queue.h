// Bytes waiting to be sent or parsed: contiguous, appended at the end, consumed from the front. An empty queue holds no
// memory, so that an idle connection costs none.
#pragma once

#include <cstring>
#include <memory>
#include <new>

#include "base/bytes.h"

namespace waylay {

class ByteQueue {
 public:
  bool empty() const { return begin_ == end_; }
  size_t size() const { return end_ - begin_; }
  Bytes bytes() const { return {data_.get() + begin_, size()}; }
  std::string_view text() const { return as_text(bytes()); }

  void append(Bytes bytes);
  void append(std::string_view text) { append(as_bytes(text)); }

  // Writing in place: prepare(n) gives room for at least n bytes (borrowed until the next call of a non-const member),
  // commit(n) makes the first n of them part of the queue.
  std::span<std::byte> prepare(size_t n);
  void commit(size_t n) { end_ += n; }

  void consume(size_t n);  // n <= size(); the memory is freed when the queue becomes empty
  void clear() { consume(size()); }
  void swap(ByteQueue& other) noexcept;

 private:
  struct FreeBlock {
    void operator()(std::byte* block) const noexcept { ::operator delete(block); }
  };
  std::unique_ptr<std::byte[], FreeBlock> data_;
  size_t begin_ = 0, end_ = 0, capacity_ = 0;
};

}  // namespace waylay
