#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <algorithm>

#include "tls/alert.h"
#include "unit/tls/support.h"

namespace waylay::tls::testing {
namespace {

using Event = Channel::Event;
using Rejection = Channel::Rejection;

SslSession newest_session;

int keep_session(SSL*, SSL_SESSION* session) {
  newest_session.reset(session);
  return 1;
}

Time periods_later(int periods) {
  Time time = now();
  time.steady_ns += periods * TicketKeys::kPeriod_ns;
  return time;
}

class ClientContextTest : public ::testing::TestWithParam<int> {
 protected:
  ClientContextTest() : trusting_(client_context(side_.ca_pem, GetParam())) {
    SSL_CTX_sess_set_new_cb(trusting_.get(), keep_session);
  }
  ~ClientContextTest() override { newest_session.reset(); }

  // A handshake of a client that trusts us, with whatever the caller has chosen, and one exchange of data.
  struct Outcome {
    End client, server;
  };
  void run(Outcome& outcome, const std::vector<std::string>& offered, std::string_view chosen,
           std::string_view scope = "scope", SSL_SESSION* session = nullptr) {
    run(outcome, side_.context, *side_.example, offered, chosen, scope, session);
  }
  void run(Outcome& outcome, const ClientContext& context, const Leaf& leaf, const std::vector<std::string>& offered,
           std::string_view chosen, std::string_view scope, SSL_SESSION* session) {
    outcome.server.channel = *context.accept(leaf, chosen, scope, &outcome.server.output);
    outcome.client.channel = plain_client(trusting_.get(), leaf.name, &outcome.client.output, offered, session);
    outcome.client.channel->start();
    converse(outcome.client, outcome.server);
  }
  bool resumes(const ClientContext& context, const Leaf& leaf, std::string_view scope) {
    Outcome outcome;
    SslSession session(SSL_SESSION_dup(newest_session.get()));
    run(outcome, context, leaf, {}, "", scope, session.get());
    EXPECT_TRUE(both_open(outcome.client, outcome.server));
    EXPECT_EQ(outcome.client.channel->resumed(), outcome.server.channel->resumed());
    newest_session.reset(SSL_get1_session(ssl_of_last_plain_peer()));  // TLS 1.2 does not call back for a second ticket
    return outcome.server.channel->resumed();
  }

  ClientSide side_;
  SslCtx trusting_;
};

std::string version_name(const ::testing::TestParamInfo<int>& version) {
  return version.param == TLS1_3_VERSION ? "Tls13" : "Tls12";
}
INSTANTIATE_TEST_SUITE_P(Tls, ClientContextTest, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION), version_name);

TEST_P(ClientContextTest, ChoosesTheProtocolOfTheUpstream) {
  Outcome outcome;
  run(outcome, {"h2", "http/1.1"}, "http/1.1");
  ASSERT_TRUE(both_open(outcome.client, outcome.server));
  EXPECT_EQ(outcome.client.channel->alpn(), "http/1.1");
  EXPECT_EQ(outcome.server.channel->alpn(), "http/1.1");
}

TEST_P(ClientContextTest, ChoosesNoneForAClientThatOffersNone) {
  Outcome outcome;
  run(outcome, {}, "http/1.1");
  ASSERT_TRUE(both_open(outcome.client, outcome.server));
  EXPECT_EQ(outcome.client.channel->alpn(), "");
}

TEST_P(ClientContextTest, ChoosesNoneWhereTheUpstreamChoseNone) {
  Outcome outcome;
  run(outcome, {"h2", "http/1.1"}, "");
  ASSERT_TRUE(both_open(outcome.client, outcome.server));
  EXPECT_EQ(outcome.client.channel->alpn(), "");
}

TEST_P(ClientContextTest, RefusesAClientThatOffersOnlyOtherProtocols) {
  Outcome outcome;
  run(outcome, {"h2", "h"}, "http/1.1");
  EXPECT_EQ(outcome.server.channel->state(), Channel::State::Failed);
  EXPECT_EQ(outcome.client.channel->received_alert(), static_cast<int>(Alert::NoApplicationProtocol));
}

TEST_P(ClientContextTest, GivesOneTicketThatResumes) {
  Outcome outcome;
  run(outcome, {}, "");
  ASSERT_TRUE(newest_session);
  EXPECT_TRUE(resumes(side_.context, *side_.example, "scope"));
}

TEST_P(ClientContextTest, AnotherWorkerResumesToo) {
  Outcome outcome;
  run(outcome, {}, "");
  ClientContext other_worker = std::move(*ClientContext::create(side_.keys));
  EXPECT_TRUE(resumes(other_worker, *side_.example, "scope"));
}

TEST_P(ClientContextTest, DoesNotResumeInAnotherScope) {
  Outcome outcome;
  run(outcome, {}, "");
  EXPECT_FALSE(resumes(side_.context, *side_.example, "another scope"));
}

TEST_P(ClientContextTest, DoesNotResumeWithAnotherLeaf) {
  Outcome outcome;
  run(outcome, {}, "");
  EXPECT_FALSE(resumes(side_.context, *side_.leaf("example.org"), "scope"));
}

TEST_P(ClientContextTest, DoesNotResumeWithTicketsOfAnotherRun) {
  Outcome outcome;
  run(outcome, {}, "");
  ClientContext other_run = std::move(*ClientContext::create(*TicketKeys::make(now())));
  EXPECT_FALSE(resumes(other_run, *side_.example, "scope"));
}

TEST_P(ClientContextTest, ResumesWithTicketsOfThePeriodBefore) {
  Outcome outcome;
  run(outcome, {}, "");
  side_.context.renew_ticket_keys(periods_later(1));
  EXPECT_TRUE(resumes(side_.context, *side_.example, "scope"));
}

TEST_P(ClientContextTest, DoesNotResumeWithTicketsOfTwoPeriodsBefore) {
  for (bool at_once : {false, true}) {
    ClientContext context = std::move(*ClientContext::create(side_.keys));
    Outcome outcome;
    run(outcome, context, *side_.example, {}, "", "scope", nullptr);
    if (!at_once) context.renew_ticket_keys(periods_later(1));
    context.renew_ticket_keys(periods_later(2));
    EXPECT_FALSE(resumes(context, *side_.example, "scope"));
  }
}

TEST_P(ClientContextTest, WorkersThatLookAtDifferentTimesAgreeOnTheirKeys) {
  ClientContext other_worker = std::move(*ClientContext::create(side_.keys));
  for (int period = 1; period <= 3; ++period) side_.context.renew_ticket_keys(periods_later(period));
  Outcome outcome;
  run(outcome, {}, "");
  EXPECT_FALSE(resumes(other_worker, *side_.example, "scope")) << "the time of this key is three periods away";
  run(outcome, {}, "");
  other_worker.renew_ticket_keys(periods_later(3));
  EXPECT_TRUE(resumes(other_worker, *side_.example, "scope"));
}

TEST_P(ClientContextTest, AClientThatResumesGetsATicketOfThePresentPeriod) {
  Outcome outcome;
  run(outcome, {}, "");
  for (int period = 1; period <= 3; ++period) {
    side_.context.renew_ticket_keys(periods_later(period));
    EXPECT_TRUE(resumes(side_.context, *side_.example, "scope")) << period;
  }
}

TEST(TicketKeys, AreRenewedAtTheEndOfAPeriodOnly) {
  Time start{.steady_ns = 10 * TicketKeys::kPeriod_ns};
  TicketKeys keys = *TicketKeys::make(start);
  TicketKeys::Key first = keys.current();
  EXPECT_EQ(keys.renew({.steady_ns = 11 * TicketKeys::kPeriod_ns - 1}), 11 * TicketKeys::kPeriod_ns);
  EXPECT_EQ(keys.current().name, first.name);
  EXPECT_EQ(keys.renew({.steady_ns = 11 * TicketKeys::kPeriod_ns}), 12 * TicketKeys::kPeriod_ns);
  EXPECT_NE(keys.current().name, first.name);
  EXPECT_NE(keys.current().secrets, first.secrets);
  ASSERT_NE(keys.find(first.name.data()), nullptr);
  EXPECT_EQ(keys.find(first.name.data())->secrets, first.secrets);
}

TEST(TicketKeys, AreWipedAtTheirEnd) {
  alignas(TicketKeys) std::array<unsigned char, sizeof(TicketKeys)> memory;
  auto* keys = new (memory.data()) TicketKeys(*TicketKeys::make(now()));
  TicketKeys::Key key = keys->current();
  auto stands_in = [&](const auto& bytes) { return !std::ranges::search(memory, bytes).empty(); };
  EXPECT_TRUE(stands_in(key.secrets));
  keys->~TicketKeys();
  EXPECT_FALSE(stands_in(key.secrets));
  EXPECT_FALSE(stands_in(key.name));
}

TEST_P(ClientContextTest, LearnsFromAnAlertThatTheClientRefusesTheLeaf) {
  Outcome outcome;
  trusting_ = client_context(pem_of(make_root("somebody else")), GetParam());
  run(outcome, {}, "");
  EXPECT_EQ(outcome.server.channel->state(), Channel::State::Failed);
  EXPECT_TRUE(outcome.server.channel->peer_rejected_certificate());
  EXPECT_EQ(outcome.server.channel->error().kind, ErrorKind::Certificate);
  EXPECT_EQ(outcome.server.channel->error().side, Side::Client);
  EXPECT_EQ(outcome.server.channel->error().message, "client refused our certificate: unknown_ca alert");
}

TEST_P(ClientContextTest, LearnsFromTheEndAfterTheCertificateThatTheClientMayRefuseIt) {
  Outcome outcome;
  outcome.server.channel = *side_.context.accept(*side_.example, "", "scope", &outcome.server.output);
  outcome.client.channel = plain_client(trusting_.get(), "example.org", &outcome.client.output);
  outcome.client.channel->start();
  EXPECT_EQ(outcome.server.channel->rejection(), Rejection::None);
  std::vector<std::byte> hello(outcome.client.output.bytes().begin(), outcome.client.output.bytes().end());
  outcome.server.take(hello);
  EXPECT_EQ(outcome.server.channel->state(), Channel::State::Handshaking);
  EXPECT_EQ(outcome.server.channel->rejection(), Rejection::EndInHandshake);
  EXPECT_FALSE(outcome.server.channel->peer_rejected_certificate());
}

TEST_P(ClientContextTest, LearnsFromSilenceAfterTheHandshakeThatTheClientMayRefuseTheLeaf) {
  Outcome outcome;
  run(outcome, {}, "");
  EXPECT_EQ(outcome.server.channel->rejection(), Rejection::EndBeforeData);
  ASSERT_TRUE(outcome.client.channel->write(as_bytes("x")));
  converse(outcome.client, outcome.server);
  EXPECT_EQ(outcome.server.channel->rejection(), Rejection::None);
  EXPECT_TRUE(outcome.server.channel->received_any_application_data());
}

TEST_P(ClientContextTest, AResumedConnectionSaysNothingAboutTheLeaf) {
  Outcome first, second;
  run(first, {}, "");
  SslSession session(SSL_SESSION_dup(newest_session.get()));
  run(second, {}, "", "scope", session.get());
  ASSERT_TRUE(second.server.channel->resumed());
  EXPECT_EQ(second.server.channel->rejection(), Rejection::None);
}

TEST(ClientContext, RefusesTls11WithAnAlert) {
  ClientSide side;
  SslCtx old = client_context(side.ca_pem, TLS1_1_VERSION);
  SSL_CTX_set_security_level(old.get(), 0);
  End client, server;
  server.channel = *side.context.accept(*side.example, "", "scope", &server.output);
  client.channel = plain_client(old.get(), "example.org", &client.output);
  client.channel->start();
  ASSERT_FALSE(client.output.empty());
  converse(client, server);
  EXPECT_EQ(server.channel->state(), Channel::State::Failed);
  EXPECT_EQ(client.channel->received_alert(), static_cast<int>(Alert::ProtocolVersion));
}

TEST(ClientContext, ClosesBeforeAnyHandshakeWithAnAlertThatClientsUnderstand) {
  ClientSide side;
  SslCtx context = client_context(side.ca_pem);
  End client;
  client.channel = plain_client(context.get(), "example.org", &client.output);
  client.channel->start();
  ByteQueue refusal;
  append_fatal_alert(refusal, Alert::BadCertificate);
  client.take(refusal.bytes());
  EXPECT_EQ(client.channel->state(), Channel::State::Failed);
  EXPECT_EQ(client.channel->received_alert(), static_cast<int>(Alert::BadCertificate));
}

TEST(ClientContext, ShowsALeafFromAnRsaCa) {
  Identity root = issue({.common_name = "RSA root", .is_ca = true, .rsa_bits = 2048}, nullptr);
  std::string key_pem;
  {
    Handle<BIO, BIO_free_all> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(bio.get(), root.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    const char* data = nullptr;
    long size = BIO_get_mem_data(bio.get(), &data);
    key_pem.assign(data, static_cast<size_t>(size));
  }
  CertificateAuthority ca = std::move(*CertificateAuthority::load(pem_of(root), key_pem));
  std::unique_ptr<LeafMinter> minter = std::move(*LeafMinter::create(pem_of(root)));
  UnsignedLeaf prepared = std::move(*minter->prepare({"example.org"}, now()));
  std::vector<std::byte> signature = *ca.sign(prepared.tbs());
  std::shared_ptr<const Leaf> leaf = *minter->finish(std::move(prepared), signature);

  ClientContext context = std::move(*ClientContext::create(*TicketKeys::make(now())));
  SslCtx trusting = client_context(pem_of(root));
  End client, server;
  server.channel = *context.accept(*leaf, "", "scope", &server.output);
  client.channel = plain_client(trusting.get(), "example.org", &client.output);
  client.channel->start();
  converse(client, server);
  EXPECT_TRUE(both_open(client, server)) << client.channel->error().message;
}

}  // namespace
}  // namespace waylay::tls::testing
