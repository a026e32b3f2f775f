#include "base/byte_queue.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/spare.h"

namespace waylay {
namespace {

constexpr size_t kSmallest = 2 * 1024;
// Bodies come as one receive buffer's records after another: room for all of them at once, instead of copying what is
// there each time that the queue grows. Only what is written to becomes resident.
constexpr size_t kRecord = 8 * 1024;
constexpr size_t kReceiveBuffer = 36 * 1024;  // 32 KiB and what sealing adds

// Blocks of the smallest size that are free: every message of every exchange passes through some queues that are empty
// before and after it, and such blocks are larger than what malloc has at hand.
constexpr size_t kMostSpare = 32;
SpareBlocks& spare() {
  thread_local SpareBlocks of_this_thread(kSmallest, kMostSpare);
  return of_this_thread;
}

std::byte* take(size_t capacity) {
  return static_cast<std::byte*>(capacity == kSmallest ? spare().take() : ::operator new(capacity));
}
void give_back(std::byte* block, size_t capacity) {
  if (capacity == kSmallest) return spare().give_back(block);
  ::operator delete(block);
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
      std::byte* grown = take(capacity);
      if (held > 0) std::memcpy(grown, data_.get() + begin_, held);
      give_back(data_.release(), capacity_);
      data_.reset(grown);
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
  give_back(data_.release(), capacity_);
  begin_ = end_ = capacity_ = 0;
}

void ByteQueue::swap(ByteQueue& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(begin_, other.begin_);
  std::swap(end_, other.end_);
  std::swap(capacity_, other.capacity_);
}

}  // namespace waylay
