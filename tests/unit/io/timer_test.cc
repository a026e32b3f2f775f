#include "io/timer.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

namespace waylay::io {
namespace {

class Alarm {
 public:
  Alarm(Timers& timers, int name, std::vector<int>& heard)
      : name_(name), heard_(heard), timer(Timer::calling<&Alarm::ring>(this, timers)) {}

 private:
  void ring() { heard_.push_back(name_); }
  int name_;
  std::vector<int>& heard_;

 public:
  Timer timer;
};

TEST(Timers, FireInTheOrderOfTheirDeadlines) {
  Timers timers;
  std::vector<int> heard;
  Alarm late(timers, 3, heard), early(timers, 1, heard), middle(timers, 2, heard);
  late.timer.start_at(300);
  early.timer.start_at(100);
  middle.timer.start_at(200);
  EXPECT_EQ(timers.next_ns(), 100);
  timers.fire(99);
  EXPECT_TRUE(heard.empty());
  timers.fire(250);
  EXPECT_EQ(heard, (std::vector<int>{1, 2}));
  EXPECT_FALSE(early.timer.running());
  EXPECT_TRUE(late.timer.running());
  timers.fire(300);
  EXPECT_EQ(heard, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(timers.next_ns(), Timers::kNever);
}

TEST(Timers, ATimerMovedLaterFiresOnlyThen) {
  Timers timers;
  std::vector<int> heard;
  Alarm idle(timers, 1, heard);
  idle.timer.start_at(100);
  idle.timer.start_at(500);
  timers.fire(400);
  EXPECT_TRUE(heard.empty());
  EXPECT_EQ(timers.next_ns(), 500);
  timers.fire(500);
  EXPECT_EQ(heard, (std::vector<int>{1}));
}

TEST(Timers, ATimerMovedEarlierFiresThen) {
  Timers timers;
  std::vector<int> heard;
  Alarm alarm(timers, 1, heard), other(timers, 2, heard);
  other.timer.start_at(100);
  alarm.timer.start_at(500);
  alarm.timer.start_at(50);
  timers.fire(60);
  EXPECT_EQ(heard, (std::vector<int>{1}));
}

TEST(Timers, AStoppedOrDestroyedTimerIsSilent) {
  Timers timers;
  std::vector<int> heard;
  Alarm stopped(timers, 1, heard);
  stopped.timer.start_at(10);
  {
    Alarm destroyed(timers, 2, heard);
    destroyed.timer.start_at(20);
  }
  stopped.timer.stop();
  timers.fire(1000);
  EXPECT_TRUE(heard.empty());
  EXPECT_EQ(timers.size(), 0U);
}

class Restless {
 public:
  explicit Restless(Timers& timers) : timer(Timer::calling<&Restless::again>(this, timers)) {}
  int calls = 0;

 private:
  void again() {
    calls++;
    timer.start_at(0);
  }

 public:
  Timer timer;
};

TEST(Timers, ATimerThatRestartsItselfForThePastDoesNotHoldTheWorker) {
  Timers timers;
  Restless restless(timers);
  restless.timer.start_at(0);
  timers.fire(10);
  EXPECT_EQ(restless.calls, 1);
  timers.fire(10);
  EXPECT_EQ(restless.calls, 2);
}

TEST(Timers, ThousandsMovedAboutAtRandomFireInOrder) {
  Timers timers;
  std::vector<int> heard;
  std::vector<std::unique_ptr<Alarm>> alarms;
  std::mt19937 random(7);
  for (int i = 0; i < 5000; i++) alarms.push_back(std::make_unique<Alarm>(timers, i, heard));
  for (int round = 0; round < 3; round++) {
    for (auto& alarm : alarms) {
      if (random() % 5 == 0)
        alarm->timer.stop();
      else
        alarm->timer.start_at(static_cast<int64_t>(random() % 100'000));
    }
  }
  size_t running = timers.size();
  for (int64_t now_ns = 0; now_ns <= 100'000; now_ns += 10) {
    size_t before = heard.size();
    timers.fire(now_ns);
    for (size_t i = before; i < heard.size(); i++) {
      int64_t deadline_ns = alarms[static_cast<size_t>(heard[i])]->timer.deadline_ns();
      EXPECT_LE(deadline_ns, now_ns);
      EXPECT_GT(deadline_ns, now_ns - 10);
    }
  }
  EXPECT_EQ(heard.size(), running);
}

}  // namespace
}  // namespace waylay::io
