#include "warden/job_thread.h"

#include <pthread.h>

namespace waylay::warden {

JobThread::JobThread(const char* name) : thread_([this] { run(); }) {
  ::pthread_setname_np(thread_.native_handle(), name);
}

bool JobThread::post(std::function<void()> job) {
  std::lock_guard lock(mutex_);
  if (stopped_ || jobs_.size() >= kMaximumJobs) return false;
  jobs_.push_back(std::move(job));
  changed_.notify_one();
  return true;
}

void JobThread::stop() {
  std::deque<std::function<void()>> dropped;
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    dropped.swap(jobs_);
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void JobThread::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopped_ || !jobs_.empty(); });
    if (stopped_) return;
    std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

}  // namespace waylay::warden
