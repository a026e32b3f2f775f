// Memory for what comes and goes with every exchange, kept for the next one by the thread that frees it. Of one size
// malloc keeps seven at hand for a thread; a busy worker frees dozens in one turn and wants them back in the next.
#pragma once

#include <cstddef>
#include <type_traits>

namespace waylay {

// Free blocks of one size. Not for several threads: each has its own.
class SpareBlocks {
 public:
  SpareBlocks(size_t size, size_t most);  // `most`: what is given back beyond it is freed
  ~SpareBlocks();
  SpareBlocks(const SpareBlocks&) = delete;
  SpareBlocks& operator=(const SpareBlocks&) = delete;

  void* take();
  void give_back(void* block);  // any that operator new made in this size, by whatever thread

 private:
  struct Free {
    Free* next;
  };
  const size_t size_;
  size_t room_;
  Free* first_ = nullptr;
};

// The base of a class whose objects are made and destroyed all the time:
//   class Exchange final : public Spared<Exchange> {
template <class T>
class Spared {
 public:
  static void* operator new(size_t) {
    static_assert(std::is_final_v<T>, "what is derived would be of another size");
    return of_this_thread().take();
  }
  static void operator delete(void* memory) { of_this_thread().give_back(memory); }

 private:
  friend T;
  Spared() = default;
  static constexpr size_t kMost = 128;  // a busy worker's connections or streams in one turn
  static SpareBlocks& of_this_thread() {
    thread_local SpareBlocks blocks(sizeof(T), kMost);
    return blocks;
  }
};

}  // namespace waylay
