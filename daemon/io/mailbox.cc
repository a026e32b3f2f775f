#include "io/mailbox.h"

#include <liburing.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "io/ring.h"

namespace waylay::io {

Result<std::unique_ptr<Mailbox>> Mailbox::make(Ring& ring) {
  Fd wakeup(eventfd(0, EFD_CLOEXEC));
  if (!wakeup) return fail(posix_error(errno, "making an eventfd"));
  return std::unique_ptr<Mailbox>(new Mailbox(ring, std::move(wakeup)));
}

void Mailbox::post(Task task) {
  std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  if (tasks_.size() > 1) return;  // the worker is already being woken
  uint64_t one = 1;
  // Cannot fail: the count is far from its limit, since one wake-up is outstanding at most.
  CHECK(write(wakeup_.get(), &one, sizeof one) == sizeof one);
}

void Mailbox::start() {
  start_read();
}

void Mailbox::start_read() {
  io_uring_prep_read(ring_.start(read_), wakeup_.get(), &count_, sizeof count_, 0);
}

void Mailbox::woken(const Completion&) {
  if (closing_) return;
  start_read();
  std::vector<Task> tasks;
  {
    std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (Task& task : tasks) task();
}

void Mailbox::close() {
  closing_ = true;
  ring_.cancel(read_);
}

}  // namespace waylay::io
