// Counts what each thread allocates with new. It replaces the program's own operators, so one file of a test program
// includes it, and only one.
#pragma once

#include <cstdlib>
#include <new>

namespace {
thread_local size_t allocations = 0;
}

void* operator new(size_t size) {
  ++allocations;
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}
