// Deadlines of one worker: thousands of timers in a heap, and one wait of the ring for the earliest. Moving a running
// timer later (the usual fate of an idle timer) costs a store: the heap learns of it when the old moment comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace waylay::io {

class Timers;

// A member of its owner, stopped by its destruction. Steady nanoseconds (Time::steady_ns).
class Timer {
 public:
  // Timer idle_ = Timer::calling<&Connection::on_idle>(this, ring.timers());
  template <auto member, class Owner>
  static Timer calling(Owner* owner, Timers& timers) {
    return Timer(timers, owner, [](void* to) { (static_cast<Owner*>(to)->*member)(); });
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { stop(); }

  void start_at(int64_t deadline_ns);  // also restarts a running one
  void stop();
  bool running() const { return running_; }
  int64_t deadline_ns() const { return deadline_ns_; }

 private:
  friend class Timers;
  using Callback = void (*)(void*);
  Timer(Timers& timers, void* owner, Callback callback) : timers_(timers), owner_(owner), callback_(callback) {}

  Timers& timers_;
  void* owner_;
  Callback callback_;
  int64_t deadline_ns_ = 0;  // when to call
  int64_t key_ns_ = 0;       // the place in the heap: never later than deadline_ns_
  size_t index_ = 0;
  bool running_ = false;
};

class Timers {
 public:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  Timers() = default;
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  int64_t next_ns() const { return heap_.empty() ? kNever : heap_.front()->key_ns_; }
  void fire(int64_t now_ns);  // calls each timer whose deadline has come, in their order
  size_t size() const { return heap_.size(); }

 private:
  friend class Timer;
  void insert(Timer& timer);
  void remove(Timer& timer);
  void place(Timer* timer, size_t index);
  void sift_up(size_t index);
  void sift_down(size_t index);

  std::vector<Timer*> heap_;
};

}  // namespace waylay::io
