#include "base/byte_queue.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"

namespace waylay {
namespace {

constexpr size_t kSmallest = 2 * 1024;
// Bodies come as one receive buffer's records after another: room for all of them at once, instead of copying what is
// there each time that the queue grows. Only what is written to becomes resident.
constexpr size_t kRecord = 8 * 1024;
constexpr size_t kReceiveBuffer = 36 * 1024;  // 32 KiB and what sealing adds

// With a sanitizer that finds uses of freed memory, blocks are freed.
#ifndef __has_feature
#define __has_feature(name) 0  // GCC
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
constexpr size_t kMostSpare = 0;
#else
constexpr size_t kMostSpare = 32;
#endif

// Blocks of the smallest size that are free, of this thread: every message of every exchange passes through some queues
// that are empty before and after it, and such blocks are larger than what malloc has at hand.
class Spare {
 public:
  std::unique_ptr<std::byte[]> take(size_t capacity) {
    bool has = capacity == kSmallest && count_ > 0;
    return has ? std::move(blocks_[--count_]) : std::make_unique_for_overwrite<std::byte[]>(capacity);
  }
  void give_back(std::unique_ptr<std::byte[]> block, size_t capacity) {
    if (capacity == kSmallest && count_ < kMostSpare) blocks_[count_++] = std::move(block);
  }

 private:
  std::array<std::unique_ptr<std::byte[]>, kMostSpare + 1> blocks_;
  size_t count_ = 0;
};

Spare& spare() {
  thread_local Spare of_this_thread;
  return of_this_thread;
}

}  // namespace

void ByteQueue::append(Bytes bytes) {
  if (bytes.empty()) return;
  std::span<std::byte> room = prepare(bytes.size());
  std::memcpy(room.data(), bytes.data(), bytes.size());
  commit(bytes.size());
}

std::span<std::byte> ByteQueue::prepare(size_t n) {
  if (capacity_ - end_ < n) {
    size_t held = size();
    if (begin_ > 0 && capacity_ - held >= n && begin_ >= held) {
      std::memcpy(data_.get(), data_.get() + begin_, held);  // no overlap: begin_ >= held
    } else {
      size_t capacity = std::max({held + n, capacity_ * 2, n < kRecord ? kSmallest : kReceiveBuffer});
      auto grown = spare().take(capacity);
      if (held > 0) std::memcpy(grown.get(), data_.get() + begin_, held);
      spare().give_back(std::exchange(data_, std::move(grown)), capacity_);
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = held;
  }
  return {data_.get() + end_, capacity_ - end_};
}

void ByteQueue::consume(size_t n) {
  CHECK(n <= size());
  begin_ += n;
  if (begin_ != end_) return;
  spare().give_back(std::move(data_), capacity_);
  data_.reset();
  begin_ = end_ = capacity_ = 0;
}

void ByteQueue::swap(ByteQueue& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(begin_, other.begin_);
  std::swap(end_, other.end_);
  std::swap(capacity_, other.capacity_);
}

}  // namespace waylay
