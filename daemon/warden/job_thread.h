// Jobs run one after another on a thread of their own: what may block (mounting, asking the container engine) stays
// away from the loop that must notice the proxy's death at once.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace waylay::warden {

class JobThread {
 public:
  explicit JobThread(const char* name);  // at most 15 characters, as ps shows it
  ~JobThread() { stop(); }
  JobThread(const JobThread&) = delete;
  JobThread& operator=(const JobThread&) = delete;

  static constexpr size_t kMaximumJobs = 4096;

  // false: too many jobs wait, or it was stopped; the job was not taken.
  bool post(std::function<void()> job);
  // Drops what has not begun and waits for what has.
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace waylay::warden
