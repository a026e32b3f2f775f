// Every raw message of support/raw_messages.h through a whole flow, from a real TLS client to a real TLS origin and
// back: of a refused one nobody gets more than what stood before the bad place, and never as a whole message; a sound
// one arrives byte for byte.
#include "support/raw_messages.h"

#include <gtest/gtest.h>

#include "flow/support_playbook.h"
#include "http/h1.h"

namespace waylay::flow {
namespace {

using http::H1Reader;
using http::Kind;
using http::RawMessage;

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Each record of the sender holds so many bytes.
class RawMessages : public testing::TestWithParam<size_t> {
 protected:
  static bool is_over(const Playbook& play) { return play.client_saw("CloseClient") || play.client_saw("ResetClient"); }

  template <class Say>
  static void in_records(const Playbook& play, std::string_view bytes, Say say) {
    // A long one says nothing more byte by byte than in one piece.
    size_t size = GetParam() == 0 || bytes.size() > 20'000 ? bytes.size() : GetParam();
    for (size_t at = 0; at < bytes.size() && !is_over(play); at += size) say(bytes.substr(at, size));
  }

  static std::string request_for(const std::string& method) {
    std::string target = method == "CONNECT" ? "a:443" : "/";
    return method + " " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
  }
};
INSTANTIATE_TEST_SUITE_P(InRecordsOf, RawMessages, testing::Values(0, 1));

// How many whole messages a strict reader finds.
size_t messages_in(Kind kind, std::string_view bytes, const std::string& method) {
  H1Reader reader(kind, Side::Local);
  if (kind == Kind::Response) reader.answer_to(method);
  reader.put(as_bytes(bytes));
  size_t found = 0;
  for (;;) {
    switch (reader.next()) {
      case H1Reader::Event::NeedMore:
        return found + (reader.on_eof() == H1Reader::Event::End ? 1 : 0);
      case H1Reader::Event::End:
        ++found;
        break;
      case H1Reader::Event::Tunnel:
        return found + 1;
      case H1Reader::Event::Failed:
        return found;
      default:
        break;
    }
  }
}

TEST_P(RawMessages, OfAMalformedRequestNothingWholeReachesTheOrigin) {
  for (const RawMessage& bad : http::malformed_requests()) {
    SCOPED_TRACE(testing::PrintToString(bad.bytes.substr(0, 300)));
    Playbook play;
    in_records(play, bad.bytes, [&](std::string_view piece) { play.client_says(piece); });
    std::string forwarded = play.origin_got();
    EXPECT_TRUE(bad.bytes.starts_with(forwarded)) << play.transcript();
    EXPECT_EQ(forwarded.find("/smuggled"), std::string::npos) << play.transcript();
    EXPECT_EQ(messages_in(Kind::Request, forwarded, ""), 0u) << play.transcript();
    EXPECT_TRUE(is_over(play)) << play.transcript();
    EXPECT_TRUE(forwarded.empty() || play.client_saw("ResetUpstream")) << play.transcript();
    EXPECT_TRUE(play.client_got().starts_with("HTTP/1.1 400 ") && play.client_saw_close_notify()) << play.transcript();
    ASSERT_EQ(play.exchanges().size(), 1u);
    EXPECT_EQ(play.exchanges()[0]->end, ExchangeEnd::Refused);
    EXPECT_NE(play.exchanges()[0]->error, "");
  }
}

TEST_P(RawMessages, OfAMalformedResponseNothingWholeReachesTheClient) {
  for (const RawMessage& bad : http::malformed_responses()) {
    SCOPED_TRACE(testing::PrintToString(bad.bytes.substr(0, 300)));
    Playbook play;
    play.client_says(request_for(bad.method));
    in_records(play, bad.bytes, [&](std::string_view piece) { play.origin_says(piece); });
    std::string forwarded = play.client_got();
    EXPECT_TRUE(is_over(play)) << play.transcript();
    if (forwarded.starts_with("HTTP/1.1 502 ")) {
      EXPECT_TRUE(play.client_saw_close_notify()) << play.transcript();
      continue;
    }
    // Either cut off visibly in the midst, or a sound response with something behind it that was kept back.
    EXPECT_TRUE(bad.bytes.starts_with(forwarded)) << play.transcript();
    size_t whole = messages_in(Kind::Response, forwarded, bad.method);
    EXPECT_TRUE(whole == 0 ? play.client_saw("ResetClient") : whole == 1 && forwarded.size() < bad.bytes.size())
        << play.transcript();
  }
}

TEST_P(RawMessages, ASoundRequestArrivesByteForByteAsOne) {
  for (const std::string& good : http::sound_requests()) {
    SCOPED_TRACE(testing::PrintToString(good.substr(0, 300)));
    Playbook play;
    in_records(play, good, [&](std::string_view piece) { play.client_says(piece); });
    EXPECT_EQ(play.origin_got(), good) << play.transcript();
    play.origin_says(kOk);
    EXPECT_EQ(play.client_got(), kOk) << play.transcript();
    ASSERT_EQ(play.exchanges().size(), 1u);
    EXPECT_EQ(play.exchanges()[0]->end, ExchangeEnd::Complete) << play.transcript();
  }
}

TEST_P(RawMessages, ASoundResponseArrivesByteForByteAsOne) {
  for (const RawMessage& good : http::sound_responses()) {
    SCOPED_TRACE(testing::PrintToString(good.bytes.substr(0, 300)));
    Playbook play;
    play.client_says(request_for(good.method));
    in_records(play, good.bytes, [&](std::string_view piece) { play.origin_says(piece); });
    EXPECT_EQ(play.client_got(), good.bytes) << play.transcript();
    ASSERT_EQ(play.exchanges().size(), 1u) << play.transcript();
    EXPECT_EQ(play.exchanges()[0]->end, ExchangeEnd::Complete) << play.transcript();
    if (is_over(play)) continue;  // HTTP/1.0, or a refused CONNECT
    // The connection goes on: the next exchange is not confused by the last one.
    play.take_client_got();
    play.client_says(request_for("GET"));
    play.origin_says(kOk);
    EXPECT_EQ(play.client_got(), kOk) << play.transcript();
  }
}

// Behind a sound request: the first is answered, the second goes nowhere.
TEST_P(RawMessages, AMalformedRequestBehindASoundOneIsRefusedInItsTurn) {
  const std::string first = request_for("GET");
  for (const RawMessage& bad : http::malformed_requests()) {
    SCOPED_TRACE(testing::PrintToString(bad.bytes.substr(0, 300)));
    Playbook play;
    play.client_says(first + bad.bytes);
    EXPECT_EQ(play.take_origin_got(), first) << play.transcript();
    play.origin_says(kOk);
    EXPECT_TRUE(play.client_got().starts_with(kOk)) << play.transcript();
    EXPECT_EQ(messages_in(Kind::Request, play.origin_got(), ""), 0u) << play.transcript();
    EXPECT_TRUE(is_over(play)) << play.transcript();
  }
}

TEST(RawMessageCorpus, IsLarge) {
  size_t size = http::malformed_requests().size() + http::malformed_responses().size() + http::sound_requests().size() +
                http::sound_responses().size();
  EXPECT_GE(size, 300u);
  RecordProperty("messages", static_cast<int>(size));
}

}  // namespace
}  // namespace waylay::flow
