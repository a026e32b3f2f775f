#include "record/ledger.h"

#include "unit/record/support.h"

namespace waylay::record {
namespace {

using flow::ExchangeEnd;
using Role = Ledger::Role;

constexpr Time kMuchLater = at_ms(600'000);

TEST(Ledger, TellsASuccessAfterTwoInjectedSlowDowns) {
  Ledger ledger(100);
  EXPECT_EQ(ledger.exchange_ended(Made(1).at(0).invocation("i", 1).injected("slow", 503)), Role::First);
  EXPECT_EQ(ledger.exchange_ended(Made(2).at(510).invocation("i", 2, 5).injected("slow", 503)), Role::Retry);
  EXPECT_EQ(ledger.exchange_ended(Made(3).at(1'520, 30).invocation("i", 3, 5)), Role::Retry);
  ASSERT_EQ(ledger.invocations().size(), 1u);
  Invocation call = ledger.invocations()[0];
  EXPECT_EQ(call.outcome(at_ms(1'600)), CallOutcome::Succeeded);
  EXPECT_EQ(call.retries(), 2u);
  EXPECT_EQ(call.call.max_attempts, 5);
  EXPECT_EQ(call.lost_ns(), 1'540 * kMillisecond_ns) << "from 10 ms to 1550 ms";
  EXPECT_EQ(call.waiting_ns(), 1'500 * kMillisecond_ns) << "500 and 1000 ms";
  EXPECT_FALSE(call.inferred);
  EXPECT_EQ(call.container, "web");
  const Attempt& second = call.attempts[1];
  EXPECT_EQ(second.exchange, 2u);
  EXPECT_EQ(second.number, 2);
  EXPECT_EQ(second.status, 503);
  EXPECT_EQ(second.result, Attempted::Failed);
  EXPECT_TRUE(second.injected);
  EXPECT_EQ(second.rules, "slow");
  EXPECT_EQ(second.what, "fault aws:slowdown");
  EXPECT_EQ(second.gap_ns, 500 * kMillisecond_ns);
  EXPECT_FALSE(call.attempts[2].injected);
  EXPECT_EQ(call.attempts[2].result, Attempted::Succeeded);
}

TEST(Ledger, TellsExhaustedAttemptsAsFailedAtOnce) {
  Ledger ledger(100);
  for (int n = 1; n <= 3; ++n)
    ledger.exchange_ended(
        Made(static_cast<uint64_t>(n)).at(n * 1'000).invocation("i", n, n == 1 ? 0 : 3).answered(503));
  Invocation call = ledger.invocations()[0];
  EXPECT_EQ(call.outcome(at_ms(3'010)), CallOutcome::Failed);
  EXPECT_FALSE(call.last().injected);
}

TEST(Ledger, LeavesACallOpenWhileItsNextAttemptMayStillCome) {
  Ledger ledger(100);
  ledger.exchange_ended(Made(1).at(0).invocation("i", 1).answered(503));
  EXPECT_EQ(ledger.invocations()[0].outcome(at_ms(2'000)), CallOutcome::Open);
  EXPECT_EQ(ledger.invocations()[0].outcome(at_ms(2'600)), CallOutcome::Failed);
  ledger.exchange_ended(Made(2).at(1'000).invocation("i", 2, 5).answered(503));
  ledger.exchange_ended(Made(3).at(3'000).invocation("i", 3, 5).answered(503));
  EXPECT_EQ(ledger.invocations()[0].outcome(at_ms(8'000)), CallOutcome::Open);
  EXPECT_EQ(ledger.invocations()[0].outcome(at_ms(8'600)), CallOutcome::Failed);
}

TEST(Ledger, KeepsInterleavedInvocationsAndTargetsApart) {
  Ledger ledger(100);
  ledger.exchange_ended(Made(1).at(0).invocation("a", 1).answered(503));
  ledger.exchange_ended(Made(2).at(5).invocation("b", 1).answered(503));
  ledger.exchange_ended(Made(3).at(5).invocation("a", 1).target(8).answered(503));
  ledger.exchange_ended(Made(4).at(500).invocation("b", 2, 5));
  ledger.exchange_ended(Made(5).at(600).invocation("a", 2, 5).answered(500));
  ledger.exchange_ended(Made(6).at(1'700).invocation("a", 3, 5));
  std::vector<Invocation> calls = ledger.invocations();
  ASSERT_EQ(calls.size(), 3u);
  EXPECT_EQ(calls[0].attempts.size(), 3u);
  EXPECT_EQ(calls[1].attempts.size(), 2u);
  EXPECT_EQ(calls[1].last().exchange, 4u);
  EXPECT_EQ(calls[2].attempts.size(), 1u);
}

TEST(Ledger, PutsAttemptsThatEndOutOfOrderIntoTheOrderTheyBegan) {
  Ledger ledger(100);
  ledger.exchange_ended(Made(3).at(2'000).invocation("i", 3, 5));
  ledger.exchange_ended(Made(1).at(0).invocation("i", 1).injected("slow", 503));
  ledger.exchange_ended(Made(2).at(1'000).invocation("i", 2, 5).ended(ExchangeEnd::ClientGone));
  Invocation call = ledger.invocations()[0];
  ASSERT_EQ(call.attempts.size(), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(call.attempts[static_cast<size_t>(i)].number, i + 1);
  EXPECT_EQ(call.attempts[0].gap_ns, 0);
  EXPECT_EQ(call.attempts[2].gap_ns, 990 * kMillisecond_ns);
  EXPECT_EQ(call.outcome(at_ms(2'010)), CallOutcome::Succeeded);
}

TEST(Ledger, OverlappingAttemptsLeaveNoNegativeGap) {
  Ledger ledger(100);
  ledger.exchange_ended(Made(1).at(0, 5'000).invocation("i", 1).ended(ExchangeEnd::ClientGone));
  ledger.exchange_ended(Made(2).at(100, 10).invocation("i", 2, 5));
  Invocation call = ledger.invocations()[0];
  EXPECT_EQ(call.attempts[1].gap_ns, 0);
  EXPECT_EQ(call.lost_ns(), 0);
  EXPECT_EQ(call.waiting_ns(), 0);
}

TEST(Ledger, AFinalClientErrorIsTheServicesAnswer) {
  Ledger ledger(100);
  ledger.exchange_ended(Made(1).invocation("i", 1).answered(404));
  EXPECT_EQ(ledger.invocations()[0].outcome(at_ms(10)), CallOutcome::Refused);
  ledger.exchange_ended(Made(2).invocation("j", 1).answered(429));
  EXPECT_EQ(ledger.invocations()[1].outcome(kMuchLater), CallOutcome::Failed);
  ledger.exchange_ended(Made(3).invocation("k", 1).injected("throttle", 400));
  EXPECT_EQ(ledger.invocations()[2].outcome(kMuchLater), CallOutcome::Failed);
}

TEST(Ledger, AClientErrorThatWasTriedAgainWasAFailure) {
  Ledger ledger(100);
  ledger.exchange_ended(Made(1).at(0).invocation("i", 1).answered(400));
  ledger.exchange_ended(Made(2).at(50).invocation("i", 2, 2).answered(400));
  Invocation call = ledger.invocations()[0];
  EXPECT_EQ(call.attempts[0].result, Attempted::Failed);
  EXPECT_EQ(call.outcome(at_ms(60)), CallOutcome::Failed) << "DynamoDB throttles with 400";
  ledger.exchange_ended(Made(3).at(0).invocation("j", 1).answered(503));
  ledger.exchange_ended(Made(4).at(50).invocation("j", 2, 5).answered(404));
  EXPECT_EQ(ledger.invocations()[1].outcome(at_ms(60)), CallOutcome::Refused);
}

TEST(Ledger, TellsWhatARuleMadeFromWhatTheServiceDid) {
  struct Row {
    const flow::ExchangeFacts exchange;
    bool injected;
  };
  for (const Row& row : {
           Row{Made(1).rewritten("talk", 429), true},
           Row{Made(2).injected("slow", 503), true},
           Row{Made(3).delayed("late").answered(503), false},
           Row{Made(4).delayed("late").ended(ExchangeEnd::ClientGone), true},
           Row{Made(5).ended(ExchangeEnd::ClientGone), false},
           Row{Made(6).delayed("rst").ended(ExchangeEnd::Aborted), true},
           Row{Made(7).delayed("late").ended(ExchangeEnd::UpstreamFailed, "connection refused"), false},
           Row{Made(8).delayed("late").ended(ExchangeEnd::Truncated), false},
           Row{Made(9).answered(500), false},
       }) {
    Ledger ledger(100);
    ledger.exchange_ended(row.exchange);
    const Attempt attempt = ledger.invocations().at(0).last();
    EXPECT_EQ(attempt.injected, row.injected) << row.exchange.id;
    EXPECT_EQ(attempt.result, Attempted::Failed) << row.exchange.id;
    EXPECT_EQ(attempt.rules.empty(), !row.injected) << row.exchange.id;
  }
}

TEST(Ledger, InfersRetriesOfOtherClientsOnlyAfterAFailure) {
  Ledger ledger(100);
  EXPECT_EQ(ledger.exchange_ended(Made(1).not_aws("GET", "/jobs?page=1").at(0)), Role::None);
  EXPECT_EQ(ledger.exchange_ended(Made(2).not_aws("GET", "/jobs?page=2").at(100).answered(503)), Role::First);
  EXPECT_EQ(ledger.exchange_ended(Made(3).not_aws("GET", "/jobs?page=2").at(1'000).answered(503)), Role::Retry);
  EXPECT_EQ(ledger.exchange_ended(Made(4).not_aws("GET", "/jobs?page=2").at(2'000)), Role::Retry);
  EXPECT_EQ(ledger.exchange_ended(Made(5).not_aws("GET", "/jobs?page=2").at(2'100)), Role::None)
      << "that call succeeded";
  std::vector<Invocation> calls = ledger.invocations();
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_TRUE(calls[0].inferred);
  EXPECT_EQ(calls[0].attempts.size(), 3u);
  EXPECT_EQ(calls[0].path, "/jobs");
  EXPECT_EQ(calls[0].outcome(at_ms(2'010)), CallOutcome::Succeeded);
}

TEST(Ledger, InfersNothingFromRequestsThatDiffer) {
  Ledger ledger(100);
  EXPECT_EQ(ledger.exchange_ended(Made(1).not_aws("POST", "/jobs", 100).answered(503)), Role::First);
  EXPECT_EQ(ledger.exchange_ended(Made(2).not_aws("POST", "/jobs", 101).at(50)), Role::None);
  EXPECT_EQ(ledger.exchange_ended(Made(3).not_aws("PUT", "/jobs", 100).at(50)), Role::None);
  EXPECT_EQ(ledger.exchange_ended(Made(4).not_aws("POST", "/other", 100).at(50)), Role::None);
  EXPECT_EQ(ledger.exchange_ended(Made(5).not_aws("POST", "/jobs", 100).pid(43).at(50)), Role::None);
  EXPECT_EQ(ledger.exchange_ended(Made(6).not_aws("POST", "/jobs", 100).target(8).at(50)), Role::None);
  EXPECT_EQ(ledger.exchange_ended(Made(7).not_aws("POST", "/jobs", 100).at(61'000)), Role::None) << "a minute later";
}

TEST(Ledger, AnAwsCallWithoutAnIdIsACallOfItsOwn) {
  Ledger ledger(100);
  EXPECT_EQ(ledger.exchange_ended(Made(1).at(0)), Role::First);
  EXPECT_EQ(ledger.exchange_ended(Made(2).at(20)), Role::First);
  EXPECT_EQ(ledger.exchange_ended(Made(3).at(40).answered(503)), Role::First);
  EXPECT_EQ(ledger.exchange_ended(Made(4).at(60)), Role::Retry);
  EXPECT_EQ(ledger.invocations().size(), 3u);
}

TEST(Ledger, ACallThatIsTriedWithoutAnEndStaysBounded) {
  for (const char* id : {"i", ""}) {
    Ledger ledger(100);
    for (int n = 0; n < 2'500; ++n) {
      auto exchange = Made(static_cast<uint64_t>(n + 1)).at(n * 2, 1);
      ledger.exchange_ended(*id != 0 ? exchange.invocation(id, n + 1).answered(503) : exchange.answered(503));
    }
    std::vector<Invocation> calls = ledger.invocations();
    ASSERT_EQ(calls.size(), 3u);
    EXPECT_EQ(calls[0].attempts.size(), kMostAttempts);
    EXPECT_EQ(calls[0].waiting_ns(), 999 * kMillisecond_ns);
    EXPECT_EQ(calls[2].attempts.size(), 500u);
    EXPECT_EQ(calls[2].last().exchange, 2'500u);
  }
}

TEST(Ledger, ForgetsTheOldestAndCountsThem) {
  Ledger ledger(3);
  for (int i = 0; i < 10; ++i)
    ledger.exchange_ended(
        Made(static_cast<uint64_t>(i)).at(i * 10).invocation("i" + std::to_string(i), 1).answered(503));
  EXPECT_EQ(ledger.total(), 10u);
  EXPECT_EQ(ledger.dropped(), 7u);
  std::vector<Invocation> calls = ledger.invocations();
  ASSERT_EQ(calls.size(), 3u);
  EXPECT_EQ(calls[0].id, 8u);
  EXPECT_EQ(ledger.exchange_ended(Made(20).at(500).invocation("i9", 2)), Role::Retry);
  EXPECT_EQ(ledger.exchange_ended(Made(21).at(500).invocation("i0", 2)), Role::First) << "its beginning is forgotten";
}

}  // namespace
}  // namespace waylay::record
