#include "record/summary.h"

#include "unit/record/support.h"

namespace waylay::record {
namespace {

constexpr Time kMuchLater = at_ms(600'000);

class Ledgered {
 public:
  // A call of `attempts` attempts, a second apart, all but the last failed by `fail`; the last one too if `lost`.
  template <class Fail>
  Ledgered& call(int attempts, bool lost, Fail fail, const std::string& sdk = "Boto3", const std::string& mode = "",
                 int most = 5, uint32_t pid = 42) {
    std::string id = "i" + std::to_string(++calls_);
    for (int n = 1; n <= attempts; ++n) {
      Made made(++exchanges_);
      made.at(n * 1'000).invocation(id, n, n == 1 ? 0 : most).sdk(sdk, "1.26.27", mode).pid(pid);
      if (n < attempts || lost) fail(made);
      ledger_.exchange_ended(made);
    }
    return *this;
  }
  std::vector<Invocation> invocations() const { return ledger_.invocations(); }
  Ledger& ledger() { return ledger_; }

 private:
  Ledger ledger_{1'000};
  int calls_ = 0;
  uint64_t exchanges_ = 0;
};

void talk(Made& made) {
  made.rewritten("talk", 429);
}
void organic(Made& made) {
  made.answered(503);
}

TEST(Summary, CountsCallsAttemptsRetriesAndTheTimeLost) {
  Ledgered calls;
  calls.call(1, false, organic).call(2, false, organic).call(3, false, organic).call(5, true, talk);
  std::vector<SummaryRow> rows = summarize(calls.invocations(), kMuchLater);
  ASSERT_EQ(rows.size(), 1u);
  const SummaryRow& row = rows[0];
  EXPECT_EQ(row.service, "s3");
  EXPECT_EQ(row.operation, "GetObject");
  EXPECT_EQ(row.calls, 4u);
  EXPECT_EQ(row.attempts, 11u);
  EXPECT_EQ(row.retried, 3u);
  EXPECT_EQ(row.retries, 7u);
  EXPECT_EQ(row.lost, 1u);
  EXPECT_EQ(row.open, 0u);
  EXPECT_EQ(row.organic_failures, 3u);
  EXPECT_EQ(row.injected_failures, 5u);
  EXPECT_EQ(row.lost_p50_ns, 2 * kSecond_ns);
  EXPECT_EQ(row.lost_max_ns, 4 * kSecond_ns);
  EXPECT_EQ(row.lost_total_ns, 7 * kSecond_ns);
  EXPECT_EQ(row.waiting_ns, 7 * 990 * kMillisecond_ns);
  EXPECT_FALSE(row.inferred);
}

TEST(Summary, ListsServicesAndOtherHostsApart) {
  Ledgered calls;
  calls.call(1, false, organic);
  calls.ledger().exchange_ended(Made(100).not_aws("GET", "/a").at(5'000).answered(500));
  std::vector<SummaryRow> rows = summarize(calls.invocations(), at_ms(5'020));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].host, "api.example.org");
  EXPECT_TRUE(rows[0].inferred);
  EXPECT_EQ(rows[0].open, 1u);
  EXPECT_EQ(rows[1].service, "s3");
  EXPECT_TRUE(summarize({}, kMuchLater).empty());
}

TEST(Findings, SayWhichModeRetriedTheTalksTrickAndWhichDidNot) {
  Ledgered calls;
  calls.call(5, true, talk, "Boto3", "legacy")
      .call(5, true, talk, "Boto3", "legacy")
      .call(1, true, talk, "Boto3", "standard");
  EXPECT_EQ(findings(calls.invocations(), kMuchLater),
            std::vector<std::string>{
                "HTTP 429 from rule talk: legacy retried it (5 attempts, 2 calls, 2 in vain), standard did not "
                "retry it (1 attempt, 1 call)"});
}

TEST(Findings, TellTheModeOfAnOlderBotocoreByItsMaximumAndItsProcess) {
  Ledgered calls;
  calls.call(2, false, organic, "Boto3", "", 3, 50);  // standard announces three
  calls.call(1, true, talk, "Boto3", "", 3, 50);      // announces nothing, since it was not retried
  calls.call(5, true, talk, "Boto3", "", 5, 51);
  calls.call(1, true, talk, "Boto3", "", 5, 52);  // of this process nothing else is known
  EXPECT_EQ(findings(calls.invocations(), kMuchLater),
            (std::vector<std::string>{
                "HTTP 429 from rule talk: Boto3 1.26.27 did not retry it (1 attempt, 1 call), legacy retried it (5 "
                "attempts, 1 call, 1 in vain), standard did not retry it (1 attempt, 1 call)",
                "HTTP 503 from s3: standard retried it (2 attempts, 1 call)"}));
  RetryModes modes(calls.invocations());
  EXPECT_EQ(modes.of(calls.invocations()[0]).from, "max");
  EXPECT_EQ(modes.of(calls.invocations()[1]).from, "process");
  EXPECT_EQ(modes.of(calls.invocations()[3]).name, "");
}

TEST(RetryModes, AProcessWithTwoModesTellsNothingOfItsOtherCalls) {
  Ledgered calls;
  calls.call(2, false, organic, "Boto3", "", 3).call(2, false, organic, "Boto3", "", 5).call(1, true, talk);
  EXPECT_EQ(RetryModes(calls.invocations()).of(calls.invocations()[2]).name, "");
}

TEST(Findings, NameConnectionFailuresAndRangesOfAttempts) {
  Ledgered calls;
  auto reset = [](Made& made) { made.delayed("rst").ended(flow::ExchangeEnd::Aborted); };
  calls.call(2, false, reset, "aws-sdk-js", "standard").call(3, false, reset, "aws-sdk-js", "standard");
  EXPECT_EQ(
      findings(calls.invocations(), kMuchLater),
      std::vector<std::string>{"A reset connection from rule rst: standard retried it (2 to 3 attempts, 2 calls)"});
}

TEST(Findings, SayNothingWhileNobodyKnowsYetAndWhereNothingFailed) {
  Ledgered calls;
  calls.call(1, false, organic).call(1, true, organic);
  EXPECT_TRUE(findings(calls.invocations(), at_ms(1'020)).empty());
  EXPECT_EQ(findings(calls.invocations(), kMuchLater).size(), 1u);
}

}  // namespace
}  // namespace waylay::record
