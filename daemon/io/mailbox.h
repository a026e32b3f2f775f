// How other threads reach a worker: tasks posted here run in the worker's thread, in their order, woken by an
// eventfd(2).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/handle.h"
#include "base/result.h"
#include "io/op.h"

namespace waylay::io {

class Ring;

class Mailbox {
 public:
  using Task = std::move_only_function<void()>;

  static Result<std::unique_ptr<Mailbox>> make(Ring& ring);

  void post(Task task);  // from any thread; a task posted after close() never runs
  void start();          // in the worker's thread, once
  void close();          // likewise; it may be destroyed when closed()
  bool closed() const { return !read_.in_flight(); }

 private:
  Mailbox(Ring& ring, Fd wakeup) : ring_(ring), wakeup_(std::move(wakeup)) {}
  void start_read();
  void woken(const Completion& completion);

  Ring& ring_;
  Fd wakeup_;
  bool closing_ = false;
  uint64_t count_ = 0;  // the kernel's while read_ is in flight; how often was posted is of no interest
  Op read_ = Op::calling<&Mailbox::woken>(this);
  std::mutex mutex_;
  std::vector<Task> tasks_;  // guarded by mutex_
};

}  // namespace waylay::io
