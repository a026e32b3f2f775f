#include "rules/handler_gate.h"

#include <gtest/gtest.h>

namespace waylay::rules {
namespace {

using Entry = HandlerGate::Entry;
using Outcome = HandlerGate::Outcome;

Time at(int64_t seconds) {
  return {seconds * kSecond_ns, 0};
}

TEST(HandlerGates, LetSoManyInAtATime) {
  HandlerGate gate(2, 5, kSecond_ns);
  EXPECT_EQ(gate.enter(at(0)), Entry::Granted);
  EXPECT_EQ(gate.enter(at(0)), Entry::Granted);
  EXPECT_EQ(gate.enter(at(0)), Entry::Busy);
  gate.leave(Outcome::Success, at(0));
  EXPECT_EQ(gate.enter(at(0)), Entry::Granted);
}

TEST(HandlerGates, CloseForAWhileAfterFailuresInARow) {
  HandlerGate gate(10, 2, 30 * kSecond_ns);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(gate.enter(at(0)), Entry::Granted);
    gate.leave(Outcome::Failure, at(1));
  }
  EXPECT_EQ(gate.enter(at(30)), Entry::Broken);
  EXPECT_EQ(gate.enter(at(31)), Entry::Granted);  // one is tried
  EXPECT_EQ(gate.enter(at(31)), Entry::Broken);
  gate.leave(Outcome::Failure, at(32));
  EXPECT_EQ(gate.enter(at(61)), Entry::Broken);
  EXPECT_EQ(gate.enter(at(62)), Entry::Granted);
  gate.leave(Outcome::Success, at(62));
  EXPECT_EQ(gate.enter(at(62)), Entry::Granted);
  EXPECT_EQ(gate.enter(at(62)), Entry::Granted);
}

TEST(HandlerGates, CountFailuresInARowOnly) {
  HandlerGate gate(1, 2, kSecond_ns);
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(gate.enter(at(0)), Entry::Granted);
    gate.leave(i % 2 == 0 ? Outcome::Failure : Outcome::Success, at(0));
  }
}

TEST(HandlerGates, LearnNothingFromCallsThatNobodyWaitedFor) {
  HandlerGate gate(1, 1, kSecond_ns);
  ASSERT_EQ(gate.enter(at(0)), Entry::Granted);
  gate.leave(Outcome::Abandoned, at(0));
  ASSERT_EQ(gate.enter(at(0)), Entry::Granted);
  gate.leave(Outcome::Failure, at(0));
  ASSERT_EQ(gate.enter(at(2)), Entry::Granted);
  gate.leave(Outcome::Abandoned, at(2));  // the trial told nothing: the next one is tried
  EXPECT_EQ(gate.enter(at(2)), Entry::Granted);
}

}  // namespace
}  // namespace waylay::rules
