// What a scanner (testssl.sh, a browser's grade) would look for on the client's side, one question a test. Hellos are
// built by hand, since no library offers what must be refused.
#include <gtest/gtest.h>

#include <set>

#include "tls/alert.h"
#include "tls/wire_reader.h"
#include "unit/tls/hello_bytes.h"

namespace waylay::tls::testing {
namespace {

constexpr uint16_t kTls12 = 0x0303;
constexpr uint16_t kSupportedVersions = 43, kKeyShare = 51, kSignatureAlgorithms = 13, kGroups = 10;
constexpr uint16_t kHeartbeat = 15, kExtendedMasterSecret = 23, kRenegotiationInfo = 0xff01;
constexpr uint16_t kFallbackScsv = 0x5600, kRenegotiationScsv = 0x00ff;

const std::set<uint16_t> kAccepted12Ecdsa = {0xc02b, 0xc02c, 0xcca9}, kAccepted12Rsa = {0xc02f, 0xc030, 0xcca8},
                         kAccepted13 = {0x1301, 0x1302, 0x1303};

// What the server says first: an alert, or a ServerHello.
struct Answer {
  int alert = -1;
  uint16_t version = 0, cipher = 0;
  int compression = -1;
  std::set<uint16_t> extensions;
  bool accepted() const { return cipher != 0; }
};

Answer read_answer(Bytes output) {
  Answer answer;
  WireReader record(output);
  uint8_t type = record.u8();
  record.skip(2);
  WireReader body = record.vector16();
  if (type == 21) {
    body.skip(1);
    answer.alert = body.u8();
    return answer;
  }
  EXPECT_EQ(body.u8(), 2) << "a ServerHello";
  body.skip(3);
  answer.version = body.u16();
  body.skip(32);
  body.bytes8();  // session
  answer.cipher = body.u16();
  answer.compression = body.u8();
  WireReader extensions = body.vector16();
  while (!extensions.empty()) {
    answer.extensions.insert(extensions.u16());
    extensions.bytes16();
  }
  EXPECT_FALSE(body.failed() || extensions.failed());
  return answer;
}

// TLS 1.2, with everything a server could want to know.
HandMade modern12(std::vector<uint16_t> ciphers) {
  HandMade hello;
  hello.ciphers = std::move(ciphers);
  hello.extensions = {{kSignatureAlgorithms, numbers({0x0403, 0x0804, 0x0401, 0x0201, 0x0203}, 2)},
                      {kGroups, numbers({29, 23, 24}, 2)},
                      {kExtendedMasterSecret, {}}};
  return hello;
}

HandMade modern13(std::vector<uint16_t> ciphers) {
  HandMade hello = modern12(std::move(ciphers));
  Buffer share;
  append_u16(share, 36);
  append_u16(share, 29);
  append_u16(share, 32);
  share.resize(share.size() + 32, std::byte{9});
  hello.extensions.push_back({kSupportedVersions, numbers({0x0304}, 1)});
  hello.extensions.push_back({kKeyShare, share});
  return hello;
}

class ClientStrength : public ::testing::Test {
 protected:
  Answer answer_to(const Buffer& hello, LeafKey key = LeafKey::P256) {
    End server;
    server.channel = *side_.context.accept(*leaf(key), "", "scope", &server.output);
    server.take(hello);
    EXPECT_FALSE(server.output.empty());
    return read_answer(server.output.bytes());
  }
  Answer answer_to(const HandMade& hello, LeafKey key = LeafKey::P256) { return answer_to(hello.record(), key); }

  std::shared_ptr<const Leaf> leaf(LeafKey key) {
    if (key == LeafKey::P256) return side_.example;
    if (!rsa_) rsa_ = side_.leaf("example.org", nullptr, LeafKey::Rsa2048);  // most tests do without its dear key
    return rsa_;
  }

  ClientSide side_;
  std::shared_ptr<const Leaf> rsa_;
};

// Every code point of the blocks in which suites were ever registered, each offered alone: NULL, EXPORT, RC2, RC4, DES,
// 3DES, IDEA, anonymous, CBC, static RSA and DH, PSK, SRP, Kerberos, GOST, CCM, ARIA, Camellia and the rest.
TEST_F(ClientStrength, NoSuiteButTheStrongOnesIsAccepted) {
  for (LeafKey key : {LeafKey::P256, LeafKey::Rsa2048}) {
    const std::set<uint16_t>& strong = key == LeafKey::P256 ? kAccepted12Ecdsa : kAccepted12Rsa;
    for (unsigned block : {0x00u, 0x13u, 0x16u, 0x56u, 0xc0u, 0xc1u, 0xccu, 0xd0u, 0xfeu, 0xffu}) {
      for (unsigned low = 0; low < 256; ++low) {
        auto suite = static_cast<uint16_t>(block << 8 | low);
        Answer old = answer_to(modern12({suite}), key);
        ASSERT_EQ(old.accepted(), strong.contains(suite)) << std::hex << suite;
        if (!old.accepted() && suite != kFallbackScsv)
          ASSERT_EQ(old.alert, static_cast<int>(Alert::HandshakeFailure)) << std::hex << suite;
        if (key == LeafKey::P256) {
          ASSERT_EQ(answer_to(modern13({suite})).accepted(), kAccepted13.contains(suite)) << std::hex << suite;
        }
      }
    }
  }
}

// The same by OpenSSL's own names, so that a suite which it learns later is asked for too.
TEST_F(ClientStrength, NoSuiteThatOpensslKnowsIsAcceptedButTheStrongOnes) {
  SslCtx all(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_security_level(all.get(), 0);
  ASSERT_EQ(SSL_CTX_set_cipher_list(all.get(), "ALL:COMPLEMENTOFALL:@SECLEVEL=0"), 1);
  STACK_OF(SSL_CIPHER)* suites = SSL_CTX_get_ciphers(all.get());
  ASSERT_GT(sk_SSL_CIPHER_num(suites), 100);
  for (int i = 0; i < sk_SSL_CIPHER_num(suites); ++i) {
    const SSL_CIPHER* suite = sk_SSL_CIPHER_value(suites, i);
    uint16_t id = SSL_CIPHER_get_protocol_id(suite);
    if (SSL_CIPHER_get_id(suite) >> 24 != 3 || kAccepted13.contains(id)) continue;
    EXPECT_EQ(answer_to(modern12({id})).accepted(), kAccepted12Ecdsa.contains(id)) << SSL_CIPHER_get_name(suite);
    EXPECT_EQ(answer_to(modern12({id}), LeafKey::Rsa2048).accepted(), kAccepted12Rsa.contains(id))
        << SSL_CIPHER_get_name(suite);
  }
}

// Every pair of a digest and a kind of key that TLS 1.2 has a number for (RFC 5246 section 7.4.1.4.1), and the blocks
// of newer ones, each wished for alone.
TEST_F(ClientStrength, NothingIsSignedOverADigestOfLessThan256Bits) {
  const std::set<uint16_t> ecdsa = {0x0403, 0x0503, 0x0603};
  const std::set<uint16_t> rsa = {0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806};
  for (LeafKey key : {LeafKey::P256, LeafKey::Rsa2048}) {
    const std::set<uint16_t>& strong = key == LeafKey::P256 ? ecdsa : rsa;
    for (unsigned algorithm = 0; algorithm < 0x0900; ++algorithm) {
      if ((algorithm & 0xff) > 0x20) continue;
      auto wished = static_cast<uint16_t>(algorithm);
      HandMade hello = modern12({0xc02b, 0xc02f});
      hello.extensions.front() = {kSignatureAlgorithms, numbers({wished}, 2)};
      ASSERT_EQ(answer_to(hello, key).accepted(), strong.contains(wished)) << std::hex << wished;
    }
  }
}

TEST_F(ClientStrength, OurOrderOfSuitesCounts) {
  EXPECT_EQ(answer_to(modern12({0xc02c, 0xc02b})).cipher, 0xc02b);
  EXPECT_EQ(answer_to(modern13({0x1302, 0x1301})).cipher, 0x1301);
  EXPECT_EQ(answer_to(modern13({0x1303, 0x1301})).cipher, 0x1303) << "who prefers ChaCha20 has no AES instructions";
}

TEST_F(ClientStrength, NoProtocolBelow12IsAccepted) {
  std::vector<uint16_t> every = {0xc02b, 0xc02f, 0xc009, 0xc013, 0x002f, 0x0035, 0x000a, 0x0005};
  for (uint16_t version : {0x0300, 0x0301, 0x0302}) {
    HandMade hello = modern12(every);
    hello.version = version;
    Answer answer = answer_to(hello);
    EXPECT_FALSE(answer.accepted()) << std::hex << version;
    EXPECT_EQ(answer.alert, static_cast<int>(version == 0x0300 ? Alert::HandshakeFailure : Alert::ProtocolVersion));
    HandMade listed = modern12(every);
    listed.extensions.push_back({kSupportedVersions, numbers({version}, 1)});
    EXPECT_FALSE(answer_to(listed).accepted()) << std::hex << version;
  }
  EXPECT_EQ(answer_to(modern12({0xc02b})).version, kTls12);
}

TEST_F(ClientStrength, NothingIsCompressed) {
  HandMade hello = modern12({0xc02b});
  hello.compression = {1, 0};
  EXPECT_EQ(answer_to(hello).compression, 0);
  hello.compression = {1};
  EXPECT_FALSE(answer_to(hello).accepted());
}

TEST_F(ClientStrength, RenegotiationIsToldToBeSecure) {
  EXPECT_TRUE(answer_to(modern12({0xc02b, kRenegotiationScsv})).extensions.contains(kRenegotiationInfo));
  HandMade hello = modern12({0xc02b});
  hello.extensions.push_back({kRenegotiationInfo, Buffer{std::byte{0}}});
  EXPECT_TRUE(answer_to(hello).extensions.contains(kRenegotiationInfo));
}

TEST_F(ClientStrength, AFallbackThatWasNotNeededIsRefused) {
  Answer answer = answer_to(modern12({0xc02b, kFallbackScsv}));
  EXPECT_EQ(answer.alert, 86) << "inappropriate_fallback (RFC 7507)";
  EXPECT_TRUE(answer_to(modern13({0x1301, kFallbackScsv})).accepted()) << "the highest version is no fallback";
}

TEST_F(ClientStrength, TheMasterSecretIsExtended) {
  EXPECT_TRUE(answer_to(modern12({0xc02b})).extensions.contains(kExtendedMasterSecret));
}

TEST_F(ClientStrength, NoHeartbeatIsOffered) {
  HandMade hello = modern12({0xc02b});
  hello.extensions.push_back({kHeartbeat, Buffer{std::byte{1}}});
  EXPECT_FALSE(answer_to(hello).extensions.contains(kHeartbeat));
}

TEST_F(ClientStrength, EncryptedClientHelloIsTreatedAsByAServerThatHasNone) {
  HandMade hello = modern13({0x1301});
  hello.extensions.push_back({0xfe0d, ech_outer(Buffer(32, std::byte{7}), Buffer(208, std::byte{9}))});
  Answer answer = answer_to(hello);
  EXPECT_TRUE(answer.accepted()) << "the handshake is completed for the outer name";
  EXPECT_FALSE(answer.extensions.contains(0xfe0d)) << "no HelloRetryRequest takes part in it";
}

class OpenPair : public ::testing::TestWithParam<int> {
 protected:
  struct Ends {
    End client, server;
  };
  std::unique_ptr<Ends> open() {
    auto ends = std::make_unique<Ends>();
    ends->server.channel = *side_.context.accept(*side_.example, "", "scope", &ends->server.output);
    ends->client.channel = plain_client(trusting_.get(), "example.org", &ends->client.output);
    ends->client.channel->start();
    converse(ends->client, ends->server);
    EXPECT_TRUE(both_open(ends->client, ends->server));
    return ends;
  }
  // What the client hears of this, whatever the server does meanwhile.
  int alert_for(const Buffer& bytes, Ends& ends) {
    ends.server.take(bytes);
    EXPECT_EQ(ends.server.channel->state(), Channel::State::Failed);
    EXPECT_EQ(ends.server.received, "");
    converse(ends.client, ends.server);
    return ends.client.channel->received_alert();
  }

  ClientSide side_;
  SslCtx trusting_ = client_context(side_.ca_pem, GetParam());
};
std::string version_name(const ::testing::TestParamInfo<int>& version) {
  return version.param == TLS1_3_VERSION ? "Tls13" : "Tls12";
}
INSTANTIATE_TEST_SUITE_P(Tls, OpenPair, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION), version_name);

// Lucky Thirteen, POODLE and their kin live on answers that tell one kind of damage from another.
TEST_P(OpenPair, EveryDamagedRecordIsAnsweredAlike) {
  std::unique_ptr<Ends> whole = open();
  ASSERT_TRUE(whole->client.channel->write(as_bytes("to be damaged somewhere")));
  size_t size = whole->client.output.size();
  for (size_t at = 5; at < size; ++at) {
    std::unique_ptr<Ends> ends = open();
    ASSERT_TRUE(ends->client.channel->write(as_bytes("to be damaged somewhere")));
    Buffer record(ends->client.output.bytes().begin(), ends->client.output.bytes().end());
    ends->client.output.clear();
    record[at] ^= std::byte{0x40};
    ASSERT_EQ(alert_for(record, *ends), SSL_AD_BAD_RECORD_MAC) << "damaged at " << at;
  }
}

TEST_P(OpenPair, ARecordThatIsCutShortIsAnsweredLikeADamagedOne) {
  for (size_t content : {size_t{24}, size_t{40}, size_t{64}}) {
    std::unique_ptr<Ends> ends = open();
    Buffer record = {std::byte{23}, std::byte{3}, std::byte{3}, std::byte{0}, static_cast<std::byte>(content)};
    record.resize(record.size() + content, std::byte{0xaa});
    EXPECT_EQ(alert_for(record, *ends), SSL_AD_BAD_RECORD_MAC) << content;
  }
}

TEST_P(OpenPair, AHeartbeatEndsTheConnectionUnanswered) {
  std::unique_ptr<Ends> ends = open();
  Buffer bleeding = {std::byte{24}, std::byte{3}, std::byte{3},  std::byte{0},
                     std::byte{3},  std::byte{1}, std::byte{64}, std::byte{0}};
  alert_for(bleeding, *ends);
  EXPECT_EQ(ends->client.received, "");
}

TEST_P(OpenPair, AHelloInRecordsOfOneByteIsUnderstood) {
  Ends ends;
  ends.server.channel = *side_.context.accept(*side_.example, "", "scope", &ends.server.output);
  ends.client.channel = plain_client(trusting_.get(), "example.org", &ends.client.output);
  ends.client.channel->start();
  Buffer hello(ends.client.output.bytes().begin(), ends.client.output.bytes().end());
  ends.client.output.clear();
  ends.server.take(refragmented(hello, 1));
  converse(ends.client, ends.server);
  EXPECT_TRUE(both_open(ends.client, ends.server)) << ends.server.channel->error().message;
}

SslSession newest;
int keep_newest(SSL*, SSL_SESSION* session) {
  newest.reset(session);
  return 1;
}

std::string ticket_of(const SSL_SESSION* session) {
  const unsigned char* ticket = nullptr;
  size_t size = 0;
  SSL_SESSION_get0_ticket(session, &ticket, &size);
  return std::string(as_text(as_bytes(ticket, size)));
}

TEST_P(OpenPair, TicketsLiveForHoursAndNotForDays) {
  SSL_CTX_sess_set_new_cb(trusting_.get(), keep_newest);
  open();
  ASSERT_TRUE(newest);
  unsigned long lifetime_s = SSL_SESSION_get_ticket_lifetime_hint(newest.get());
  EXPECT_GT(lifetime_s, 60u);
  EXPECT_LE(lifetime_s, 86'400u);
  newest.reset();
}

class OpenTls13Pair : public OpenPair {};
INSTANTIATE_TEST_SUITE_P(Tls, OpenTls13Pair, ::testing::Values(TLS1_3_VERSION), version_name);

// So that an observer cannot tell by the ticket that it is the same client again (RFC 8446 appendix C.4).
TEST_P(OpenTls13Pair, AClientThatResumesGetsATicketOfItsOwnForTheNextTime) {
  SSL_CTX_sess_set_new_cb(trusting_.get(), keep_newest);
  std::set<std::string> tickets;
  for (int i = 0; i < 4; ++i) {
    Ends ends;
    SslSession session(newest ? SSL_SESSION_dup(newest.get()) : nullptr);
    ends.server.channel = *side_.context.accept(*side_.example, "", "scope", &ends.server.output);
    ends.client.channel = plain_client(trusting_.get(), "example.org", &ends.client.output, {}, session.get());
    ends.client.channel->start();
    converse(ends.client, ends.server);
    EXPECT_EQ(ends.server.channel->resumed(), i > 0);
    ASSERT_TRUE(newest);
    EXPECT_TRUE(tickets.insert(ticket_of(newest.get())).second) << "seen before";
  }
  newest.reset();
}

// RFC 8446 section 4.2.10: a client may come with a ticket, and data under it, from a server before us at this address.
TEST(EarlyData, IsRefusedSoThatTheClientSendsItAgain) {
  Identity somebody = issue({.common_name = "before", .names = {"DNS:example.org"}}, nullptr);
  SslCtx before = server_context(somebody, TLS1_3_VERSION);
  SSL_CTX_set_max_early_data(before.get(), 16'384);
  SslCtx context = client_context("", TLS1_3_VERSION);
  SSL_CTX_sess_set_new_cb(context.get(), keep_newest);
  {
    End client, server;
    server.channel = plain_server(before.get(), &server.output);
    client.channel = plain_client(context.get(), "example.org", &client.output);
    client.channel->start();
    converse(client, server);
    ASSERT_TRUE(newest && SSL_SESSION_get_max_early_data(newest.get()) > 0);
  }
  ClientSide side;
  End client, server;
  SslSession session = std::move(newest);
  server.channel = *side.context.accept(*side.example, "", "scope", &server.output);
  client.channel = plain_client(context.get(), "example.org", &client.output, {}, session.get());
  SSL* ssl = ssl_of_last_plain_peer();
  size_t written = 0;
  std::string early(3000, 'e');
  ASSERT_EQ(SSL_write_early_data(ssl, early.data(), early.size(), &written), 1);
  client.channel->start();
  converse(client, server);
  ASSERT_TRUE(both_open(client, server)) << server.channel->error().message << client.channel->error().message;
  EXPECT_EQ(SSL_get_early_data_status(ssl), SSL_EARLY_DATA_REJECTED);
  EXPECT_EQ(server.received, "") << "nothing of it is believed";
  ASSERT_TRUE(client.channel->write(as_bytes("again")));
  converse(client, server);
  EXPECT_EQ(server.received, "again");
  newest.reset();
}

}  // namespace
}  // namespace waylay::tls::testing
