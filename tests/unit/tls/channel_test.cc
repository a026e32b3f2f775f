#include "tls/channel.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/tls/support.h"

namespace waylay::tls::testing {
namespace {

using Event = Channel::Event;
using State = Channel::State;

// Both ends are ours: an upstream channel talks to a client channel. The protocol version is the parameter.
class ChannelPair : public ::testing::TestWithParam<int> {
 protected:
  ChannelPair() : upstream_context_(client_context(side_.ca_pem, GetParam())) {
    server_.channel = *side_.context.accept(*side_.example, "", "scope", &server_.output);
    client_.channel = plain_client(upstream_context_.get(), "example.org", &client_.output);
  }
  void open(size_t chunk = SIZE_MAX) {
    EXPECT_EQ(client_.channel->start(), Event::NeedMore);
    converse(client_, server_, chunk);
    ASSERT_TRUE(both_open(client_, server_)) << client_.channel->error().message << server_.channel->error().message;
  }

  ClientSide side_;
  SslCtx upstream_context_;
  End client_, server_;
};

std::string version_name(const ::testing::TestParamInfo<int>& version) {
  return version.param == TLS1_3_VERSION ? "Tls13" : "Tls12";
}
INSTANTIATE_TEST_SUITE_P(Channel, ChannelPair, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION), version_name);

std::string pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + i / 251);
  return text;
}

TEST_P(ChannelPair, HandshakesAndTalksByteByByte) {
  open(1);
  ASSERT_TRUE(client_.channel->write(as_bytes("hello from the client")));
  ASSERT_TRUE(server_.channel->write(as_bytes("hello from the server")));
  converse(client_, server_, 1);
  EXPECT_EQ(server_.received, "hello from the client");
  EXPECT_EQ(client_.received, "hello from the server");
  EXPECT_EQ(server_.events, (std::vector{Event::HandshakeDone, Event::Plaintext}));
  EXPECT_EQ(client_.events, (std::vector{Event::HandshakeDone, Event::Plaintext}));
}

TEST_P(ChannelPair, TellsVersionAndCipher) {
  EXPECT_EQ(client_.channel->version(), "");
  open();
  bool tls13 = GetParam() == TLS1_3_VERSION;
  EXPECT_EQ(server_.channel->version(), tls13 ? "TLSv1.3" : "TLSv1.2");
  EXPECT_EQ(server_.channel->cipher(), tls13 ? "TLS_AES_128_GCM_SHA256" : "ECDHE-ECDSA-AES128-GCM-SHA256");
  EXPECT_EQ(server_.channel->alpn(), "");
  EXPECT_FALSE(server_.channel->resumed());
  EXPECT_FALSE(server_.channel->received_any_application_data());
}

TEST_P(ChannelPair, CarriesMegabytesBothWaysInOddPieces) {
  open();
  std::string up = pattern(3'000'001), down = pattern(2'000'003);
  for (size_t at = 0; at < up.size(); at += 50'001) {
    ASSERT_TRUE(client_.channel->write(as_bytes(std::string_view(up).substr(at, 50'001))));
  }
  ASSERT_TRUE(server_.channel->write(as_bytes(down)));
  converse(client_, server_, 4'099);
  EXPECT_TRUE(server_.received == up);
  EXPECT_TRUE(client_.received == down);
}

TEST_P(ChannelPair, GivesARecordOutThroughASmallScratch) {
  open();
  server_.scratch_bytes = 100;
  std::string text = pattern(16'384);
  ASSERT_TRUE(client_.channel->write(as_bytes(text)));
  converse(client_, server_);
  EXPECT_TRUE(server_.received == text);
}

TEST_P(ChannelPair, ClosesWhenTheClientSaysSoFirst) {
  open();
  client_.channel->shutdown();
  converse(client_, server_);
  EXPECT_EQ(server_.channel->state(), State::Closed);
  EXPECT_FALSE(server_.channel->truncated());
  EXPECT_TRUE(client_.channel->truncated());
  ASSERT_TRUE(server_.channel->write(as_bytes("one more word")));  // the other direction is still open
  server_.channel->shutdown();
  converse(client_, server_);
  EXPECT_EQ(client_.received, "one more word");
  EXPECT_FALSE(client_.channel->truncated());
  EXPECT_TRUE(client_.saw(Event::CloseNotify));
}

TEST_P(ChannelPair, ClosesWhenTheServerSaysSoFirst) {
  open();
  server_.channel->shutdown();
  converse(client_, server_);
  EXPECT_EQ(client_.channel->state(), State::Closed);
  client_.channel->shutdown();
  converse(client_, server_);
  EXPECT_EQ(server_.channel->state(), State::Closed);
}

TEST_P(ChannelPair, SendsCloseNotifyOnceAndNothingAfterIt) {
  open();
  server_.channel->shutdown();
  size_t size = server_.output.size();
  EXPECT_GT(size, 0U);
  server_.channel->shutdown();
  EXPECT_EQ(server_.output.size(), size);
  EXPECT_FALSE(server_.channel->write(as_bytes("late")));
  EXPECT_TRUE(server_.channel->shutdown_sent());
}

TEST_P(ChannelPair, DataInFrontOfCloseNotifyArrives) {
  open();
  ASSERT_TRUE(client_.channel->write(as_bytes("last words")));
  client_.channel->shutdown();
  converse(client_, server_);
  EXPECT_EQ(server_.events, (std::vector{Event::HandshakeDone, Event::Plaintext, Event::CloseNotify}));
  EXPECT_EQ(server_.received, "last words");
}

TEST_P(ChannelPair, AnEndWithoutCloseNotifyIsATruncation) {
  open();
  ASSERT_TRUE(client_.channel->write(as_bytes("unfinished")));
  converse(client_, server_);
  EXPECT_TRUE(server_.channel->truncated());
  EXPECT_EQ(server_.channel->state(), State::Open);
}

TEST_P(ChannelPair, RefusesToWriteBeforeTheHandshakeIsDone) {
  Result<void> written = client_.channel->write(as_bytes("early"));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::Invalid);
  client_.channel->shutdown();
  EXPECT_TRUE(client_.output.empty());
}

TEST_P(ChannelPair, ADamagedRecordFailsWithAnAlert) {
  open();
  ASSERT_TRUE(client_.channel->write(as_bytes("to be damaged")));
  std::vector<std::byte> record(client_.output.bytes().begin(), client_.output.bytes().end());
  client_.output.clear();
  record.back() ^= std::byte{1};
  server_.take(record);
  EXPECT_EQ(server_.channel->state(), State::Failed);
  EXPECT_EQ(server_.channel->error().kind, ErrorKind::Protocol);
  EXPECT_EQ(server_.channel->error().side, Side::Client);
  EXPECT_FALSE(server_.output.empty());
  converse(client_, server_);
  EXPECT_EQ(client_.channel->received_alert(), SSL_AD_BAD_RECORD_MAC);
  EXPECT_NE(client_.channel->error().message.find("bad_record_mac"), std::string::npos)
      << client_.channel->error().message;
}

TEST_P(ChannelPair, GarbageInsteadOfAHelloFails) {
  server_.take(as_bytes("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"));
  EXPECT_EQ(server_.channel->state(), State::Failed);
  EXPECT_EQ(server_.channel->error().kind, ErrorKind::Protocol);
  server_.take(as_bytes("more"));  // stays failed, takes everything
  EXPECT_EQ(server_.events.back(), Event::Failed);
}

TEST_P(ChannelPair, MayBeMovedBetweenCalls) {
  open();
  ASSERT_TRUE(client_.channel->write(as_bytes("before")));
  Channel moved = std::move(*server_.channel);
  server_.channel = std::move(moved);
  converse(client_, server_);
  EXPECT_EQ(server_.received, "before");
}

class Tls13Pair : public ChannelPair {};
INSTANTIATE_TEST_SUITE_P(Channel, Tls13Pair, ::testing::Values(TLS1_3_VERSION), version_name);

TEST_P(Tls13Pair, AnswersKeyUpdatesSilently) {
  open();
  SSL* client = ssl_of_last_plain_peer();
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(SSL_key_update(client, SSL_KEY_UPDATE_REQUESTED), 1);
    ASSERT_TRUE(client_.channel->write(as_bytes("ping")));
    converse(client_, server_);
    ASSERT_TRUE(server_.channel->write(as_bytes("pong")));
    converse(client_, server_);
  }
  EXPECT_EQ(server_.received, "pingpingping");
  EXPECT_EQ(client_.received, "pongpongpong");
}

class Tls12Pair : public ChannelPair {};
INSTANTIATE_TEST_SUITE_P(Channel, Tls12Pair, ::testing::Values(TLS1_2_VERSION), version_name);

TEST_P(Tls12Pair, RefusesRenegotiation) {
  open();
  SSL* client = ssl_of_last_plain_peer();
  ASSERT_EQ(SSL_renegotiate(client), 1);
  SSL_do_handshake(client);
  converse(client_, server_);
  EXPECT_EQ(client_.channel->received_alert(), SSL_AD_NO_RENEGOTIATION);
  // OpenSSL as a client takes the refusal as the connection's end; what matters is that there was no second handshake.
  EXPECT_EQ(std::ranges::count(server_.events, Event::HandshakeDone), 1);
}

}  // namespace
}  // namespace waylay::tls::testing
