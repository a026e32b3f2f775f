#include "io/ring.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <liburing.h>

#include <thread>

#include "io/mailbox.h"
#include "support.h"

namespace waylay::io {
namespace {

// Runs one operation by hand.
class Probe {
 public:
  explicit Probe(Ring& ring) : ring_(ring) {}
  io_uring_sqe* start() { return ring_.start(op_); }
  void cancel() { ring_.cancel(op_); }
  int result() {
    EXPECT_TRUE(run_until(ring_, [&] { return !op_.in_flight(); }));
    return result_;
  }

 private:
  void done(const Completion& completion) { result_ = completion.result; }
  Ring& ring_;
  int result_ = 0;
  Op op_ = Op::calling<&Probe::done>(this);
};

TEST(Ring, RefusesOperationsThatAreNotOnItsList) {
  auto ring = enabled_ring();
  Probe probe(*ring);
  io_uring_prep_openat(probe.start(), AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
  EXPECT_EQ(probe.result(), -EACCES);
  io_uring_prep_socket(probe.start(), AF_INET, SOCK_STREAM, 0, 0);
  EXPECT_EQ(probe.result(), -EACCES);
  io_uring_prep_unlinkat(probe.start(), AT_FDCWD, "/tmp/waylay-no-such-file", 0);
  EXPECT_EQ(probe.result(), -EACCES);
}

TEST(Ring, RefusesSubmissionFlagsThatAreNotOnItsList) {
  auto ring = enabled_ring();
  Probe probe(*ring);
  uint64_t value = 0;
  io_uring_sqe* submission = probe.start();
  io_uring_prep_read(submission, 0, &value, sizeof value, 0);
  submission->flags = IOSQE_ASYNC;
  EXPECT_EQ(probe.result(), -EACCES);
}

TEST(Ring, DoesNothingBeforeItIsEnabled) {
  Result<std::unique_ptr<Ring>> ring = Ring::make();
  ASSERT_TRUE(ring) << ring.error().message;
  EXPECT_FALSE((*ring)->run_once(0));
}

TEST(Ring, IsMadeInOneThreadAndUsedInAnother) {
  Result<std::unique_ptr<Ring>> made = Ring::make();
  ASSERT_TRUE(made);
  bool worked = false;
  std::thread([ring = std::move(*made), &worked] {
    ASSERT_TRUE(ring->enable());
    auto [near, far] = tcp_pair();
    Endpoint end(*ring, std::move(near));
    ASSERT_EQ(write(far.get(), "hello", 5), 5);
    worked = run_until(*ring, [&] { return end.received == "hello"; });
  }).join();
  EXPECT_TRUE(worked);
}

TEST(Ring, TellsTheLikelyCauseWhenItIsRefused) {
  Result<std::unique_ptr<Ring>> ring = Ring::make({.submissions = 0});
  ASSERT_FALSE(ring);
  EXPECT_NE(ring.error().message.find("Linux 6.1"), std::string::npos) << ring.error().message;
}

TEST(Ring, CancelsAnOperationThatWouldWaitForEver) {
  auto ring = enabled_ring();
  auto [near, far] = tcp_pair();
  char byte = 0;
  Probe probe(*ring);
  io_uring_prep_recv(probe.start(), near.get(), &byte, 1, 0);
  run_for(*ring, 10 * kMillisecond_ns);
  probe.cancel();
  EXPECT_EQ(probe.result(), -ECANCELED);
  probe.cancel();  // of an idle one: nothing happens
  EXPECT_EQ(ring->in_flight(), 0U);
}

TEST(Ring, TakesMoreSubmissionsInOneTurnThanItsQueueIsLong) {
  auto ring = enabled_ring({.submissions = 4, .completions = 8});
  std::vector<std::unique_ptr<Endpoint>> ends;
  std::vector<Fd> far;
  for (int i = 0; i < 40; i++) {
    auto [near, peer] = tcp_pair();
    ASSERT_EQ(write(peer.get(), "x", 1), 1);
    far.push_back(std::move(peer));
    ends.push_back(std::make_unique<Endpoint>(*ring, std::move(near)));
  }
  EXPECT_TRUE(run_until(*ring, [&] {
    for (auto& end : ends)
      if (end->received.empty()) return false;
    return true;
  }));
}

class Alarm {
 public:
  Alarm(Ring& ring, int name, std::vector<int>& heard)
      : name_(name), heard_(heard), timer(Timer::calling<&Alarm::ring>(this, ring.timers())) {}

 private:
  void ring() { heard_.push_back(name_); }
  int name_;
  std::vector<int>& heard_;

 public:
  Timer timer;
};

TEST(Ring, WakesUpForItsTimersInTheirOrder) {
  auto ring = enabled_ring();
  std::vector<int> heard;
  Alarm second(*ring, 2, heard), first(*ring, 1, heard), never(*ring, 3, heard);
  int64_t start_ns = now().steady_ns;
  second.timer.start_at(start_ns + 60 * kMillisecond_ns);
  first.timer.start_at(start_ns + 20 * kMillisecond_ns);
  never.timer.start_at(start_ns + 3600 * kSecond_ns);
  while (heard.size() < 2) ASSERT_TRUE(ring->run_once());  // no deadline: only a timer can end the wait
  EXPECT_EQ(heard, (std::vector<int>{1, 2}));
  EXPECT_GE(now().steady_ns - start_ns, 60 * kMillisecond_ns);
}

TEST(Mailbox, RunsWhatOtherThreadsPostInItsOrderInTheWorkersThread) {
  auto ring = enabled_ring();
  auto mailbox = Mailbox::make(*ring);
  ASSERT_TRUE(mailbox);
  (*mailbox)->start();
  std::vector<int> seen;
  std::thread::id worker = std::this_thread::get_id();
  std::thread other([&] {
    for (int i = 0; i < 1000; i++) {
      (*mailbox)->post([&, i] {
        EXPECT_EQ(std::this_thread::get_id(), worker);
        seen.push_back(i);
      });
    }
  });
  EXPECT_TRUE(run_until(*ring, [&] { return seen.size() == 1000; }));
  other.join();
  for (int i = 0; i < 1000; i++) EXPECT_EQ(seen[static_cast<size_t>(i)], i);
  (*mailbox)->close();
  EXPECT_TRUE(run_until(*ring, [&] { return (*mailbox)->closed(); }));
}

}  // namespace
}  // namespace waylay::io
