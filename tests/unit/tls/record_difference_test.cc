// Random conversations, each of one seed (support_records.h). More of them, or one that failed again:
//
//   RECORD_CONVERSATIONS=1000000 RECORD_SEED=0 unit_tls --gtest_filter='RecordDifference.*'
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "unit/tls/support_records.h"

namespace waylay::tls::testing {
namespace {

uint64_t number_from(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

void run_all(std::string (*one)(uint64_t)) {
  uint64_t from = number_from("RECORD_SEED", 1), count = number_from("RECORD_CONVERSATIONS", 2'000);
  for (uint64_t seed = from; seed < from + count; ++seed) {
    std::string problem = one(seed);
    ASSERT_EQ(problem, "") << "again with RECORD_SEED=" << seed << " RECORD_CONVERSATIONS=1";
  }
  if (count > 100'000)
    for (const auto& [what, times] : happened()) printf("%10lu  %s\n", times, what.c_str());
}

void expect_happened(std::initializer_list<const char*> all) {
  if (number_from("RECORD_CONVERSATIONS", 2'000) < 2'000) return;
  for (const char* what : all) EXPECT_TRUE(happened().contains(what)) << what;
}

TEST(RecordDifference, OpenSslAndWeSayAndHearTheSame) {
  run_all(compare_with_openssl);
  expect_happened({"we renew our key because the peer asked",
                   "we renew our key because it is worn out",
                   "a ticket comes late",
                   "it is cut off",
                   "it ends with close_notify",
                   "it ends without close_notify",
                   "failed: by an alert",
                   "failed: bad record type",
                   "failed: wrong version number",
                   "failed: decryption failed or bad record mac",
                   "failed: encrypted length too long",
                   "failed: data length too long",
                   "failed: record too small",
                   "failed: too many warn alerts",
                   "failed: invalid alert",
                   "failed: unexpected message",
                   "failed: bad key update",
                   "failed: bad session ticket",
                   "failed: excessive message size",
                   "failed: not on record boundary",
                   "failed: mixed handshake and non handshake data",
                   "failed: bad length"});
}

TEST(RecordDifference, NothingIsLostWhenTheRecordsBecomeOurOwn) {
  run_all(talk_through_the_change);
  expect_happened({"the records become our own", "own records at the end", "OpenSSL's records at the end"});
}

}  // namespace
}  // namespace waylay::tls::testing
