#include "io/timer.h"

namespace waylay::io {

void Timer::start_at(int64_t deadline_ns) {
  deadline_ns_ = deadline_ns;
  if (running_ && deadline_ns >= key_ns_) return;
  stop();
  key_ns_ = deadline_ns;
  timers_.insert(*this);
}

void Timer::stop() {
  if (running_) timers_.remove(*this);
}

void Timers::fire(int64_t now_ns) {
  // A callback may start its own timer again for a moment that has already come; counting keeps that from going on for
  // ever.
  for (size_t budget = heap_.size(); budget > 0 && next_ns() <= now_ns; budget--) {
    Timer& timer = *heap_.front();
    if (timer.deadline_ns_ > timer.key_ns_) {
      timer.key_ns_ = timer.deadline_ns_;
      sift_down(0);
      continue;
    }
    remove(timer);
    timer.callback_(timer.owner_);
  }
}

void Timers::insert(Timer& timer) {
  heap_.push_back(&timer);
  timer.index_ = heap_.size() - 1;
  timer.running_ = true;
  sift_up(timer.index_);
}

void Timers::remove(Timer& timer) {
  size_t index = timer.index_;
  Timer* last = heap_.back();
  heap_.pop_back();
  timer.running_ = false;
  if (last == &timer) return;
  place(last, index);
  sift_up(index);
  sift_down(last->index_);
}

void Timers::place(Timer* timer, size_t index) {
  heap_[index] = timer;
  timer->index_ = index;
}

void Timers::sift_up(size_t index) {
  Timer* moving = heap_[index];
  while (index > 0) {
    size_t parent = (index - 1) / 2;
    if (heap_[parent]->key_ns_ <= moving->key_ns_) break;
    place(heap_[parent], index);
    index = parent;
  }
  place(moving, index);
}

void Timers::sift_down(size_t index) {
  Timer* moving = heap_[index];
  for (size_t child = 2 * index + 1; child < heap_.size(); child = 2 * index + 1) {
    if (child + 1 < heap_.size() && heap_[child + 1]->key_ns_ < heap_[child]->key_ns_) child++;
    if (moving->key_ns_ <= heap_[child]->key_ns_) break;
    place(heap_[child], index);
    index = child;
  }
  place(moving, index);
}

}  // namespace waylay::io
