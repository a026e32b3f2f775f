// Messages that two readers could understand differently, and plain nonsense: each must be refused, the same way
// whether it comes whole or byte by byte. Nothing behind the bad place may come through as a message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/raw_messages.h"
#include "transcript.h"

namespace waylay::http {
namespace {

// Byte by byte it takes quadratic time; the limits have tests of their own.
constexpr size_t kLongest = 20'000;

void expect_refusal(Kind kind, const RawMessage& bad) {
  SCOPED_TRACE(::testing::PrintToString(bad.bytes.substr(0, 300)));
  std::vector<std::string> methods = {bad.method};
  Transcript whole = read_whole(kind, bad.bytes, methods);
  ASSERT_FALSE(whole.events.empty());
  EXPECT_EQ(whole.events.back(), "failed " + bad.verdict) << whole.message;
  for (const std::string& event : whole.events) EXPECT_EQ(event.find("/smuggled"), std::string::npos);
  if (bad.bytes.size() > kLongest) return;
  Transcript pieces = read_pieces(kind, byte_by_byte(bad.bytes), methods);
  EXPECT_EQ(pieces.events, whole.events) << pieces.message << " / " << whole.message;
}

void expect_one_message(Kind kind, const std::string& bytes, const std::string& method) {
  SCOPED_TRACE(::testing::PrintToString(bytes.substr(0, 300)));
  Transcript whole = read_whole(kind, bytes, {method});
  EXPECT_EQ(whole.raw, bytes) << whole.message;
  ASSERT_FALSE(whole.events.empty());
  EXPECT_EQ(whole.events.back(), "end") << whole.message;
  if (bytes.size() > kLongest) return;
  EXPECT_EQ(read_pieces(kind, byte_by_byte(bytes), {method}).events, whole.events);
}

TEST(MalformedRequests, AreRefusedWholeAndByteByByte) {
  for (const RawMessage& bad : malformed_requests()) expect_refusal(Kind::Request, bad);
}

TEST(MalformedResponses, AreRefusedWholeAndByteByByte) {
  for (const RawMessage& bad : malformed_responses()) expect_refusal(Kind::Response, bad);
}

TEST(SoundRequests, AreReadAsOne) {
  for (const std::string& good : sound_requests()) expect_one_message(Kind::Request, good, "");
}

TEST(SoundResponses, AreReadAsOne) {
  for (const RawMessage& good : sound_responses()) expect_one_message(Kind::Response, good.bytes, good.method);
}

}  // namespace
}  // namespace waylay::http
