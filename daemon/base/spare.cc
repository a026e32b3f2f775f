#include "base/spare.h"

#include <new>

namespace waylay {
namespace {

// With a sanitizer that finds uses of freed memory, blocks are freed.
#ifndef __has_feature
#define __has_feature(name) 0  // GCC
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif

}  // namespace

SpareBlocks::SpareBlocks(size_t size, size_t most) : size_(size), room_(kKeeps ? most : 0) {}

SpareBlocks::~SpareBlocks() {
  while (first_ != nullptr) ::operator delete(take());
  room_ = 0;  // what lives longer than its thread is freed
}

void* SpareBlocks::take() {
  if (first_ == nullptr) return ::operator new(size_);
  Free* block = first_;
  first_ = block->next;
  ++room_;
  return block;
}

void SpareBlocks::give_back(void* block) {
  if (room_ == 0) return ::operator delete(block);
  --room_;
  first_ = new (block) Free{first_};
}

}  // namespace waylay
