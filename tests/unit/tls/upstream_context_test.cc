#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <fstream>

#include "tls/certificate.h"
#include "unit/tls/support.h"

namespace waylay::tls::testing {
namespace {

using Event = Channel::Event;

const Identity& root() {
  static const Identity identity = make_root("Test Root");
  return identity;
}

UpstreamContext trusting(const Identity& identity) {
  UpstreamOptions options;
  options.use_system_roots = false;
  options.extra_roots_pem = pem_of(identity);
  return std::move(*UpstreamContext::create(options));
}

// One connection of ours to a server with that certificate.
struct Connection {
  Connection(const UpstreamContext& context, SSL_CTX* server_context, const UpstreamName& name) {
    server.channel = plain_server(server_context, &server.output);
    server_ssl = ssl_of_last_plain_peer();
    ours.channel = *context.connect(name, &ours.output);
  }
  void run() {
    ours.channel->start();
    converse(ours, server);
  }
  End ours, server;
  SSL* server_ssl;
};

// The reason for which a server with this certificate is refused; empty: it is not.
std::string refusal(const CertificateSpec& spec, const std::string& host, const Identity* issuer = &root(),
                    int version = 0) {
  UpstreamContext context = trusting(root());
  Identity identity = issue(spec, issuer);
  SslCtx server = server_context(identity, version);
  Connection connection(context, server.get(), {.host = host});
  connection.run();
  if (connection.ours.channel->state() != Channel::State::Failed) {
    EXPECT_TRUE(both_open(connection.ours, connection.server));
    return "";
  }
  EXPECT_EQ(connection.ours.channel->error().kind, ErrorKind::Certificate);
  EXPECT_EQ(connection.ours.channel->error().side, Side::Upstream);
  EXPECT_TRUE(connection.server.channel->peer_certificate() == nullptr);
  EXPECT_GE(connection.server.channel->received_alert(), 0) << "the server is told by an alert";
  EXPECT_TRUE(connection.ours.channel->peer_certificate() != nullptr) << "what was refused can be shown";
  return connection.ours.channel->error().message;
}

#define EXPECT_REFUSED(reason, words) EXPECT_NE((reason).find(words), std::string::npos) << "it said: " << (reason)

TEST(UpstreamVerification, AcceptsAGoodCertificate) {
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    EXPECT_EQ(refusal({.names = {"DNS:a.example"}}, "a.example", &root(), version), "");
  }
  EXPECT_EQ(refusal({.names = {"DNS:A.Example"}}, "a.EXAMPLE."), "");
}

TEST(UpstreamVerification, AcceptsWildcardsForOneLabel) {
  EXPECT_EQ(refusal({.names = {"DNS:*.s3.example"}}, "bucket.s3.example"), "");
  EXPECT_REFUSED(refusal({.names = {"DNS:*.s3.example"}}, "my.bucket.s3.example"), "host name mismatch");
  EXPECT_REFUSED(refusal({.names = {"DNS:*.s3.example"}}, "s3.example"), "host name mismatch");
}

TEST(UpstreamVerification, AcceptsIpAddresses) {
  EXPECT_EQ(refusal({.names = {"IP:192.0.2.1"}}, "192.0.2.1"), "");
  EXPECT_EQ(refusal({.names = {"IP:2001:db8::1"}}, "2001:db8::1"), "");
}

TEST(UpstreamVerification, RefusesAnotherIpAddress) {
  EXPECT_EQ(refusal({.names = {"IP:192.0.2.1"}}, "192.0.2.2"),
            "IP address mismatch: the certificate is for 192.0.2.1, not for 192.0.2.2");
  EXPECT_REFUSED(refusal({.names = {"DNS:192.0.2.2"}}, "192.0.2.2"), "IP address mismatch");
}

TEST(UpstreamVerification, RefusesAnotherHostAndSaysForWhomItIs) {
  EXPECT_EQ(refusal({.names = {"DNS:a.example", "DNS:b.example"}}, "c.example"),
            "host name mismatch: the certificate is for a.example, b.example, not for c.example");
}

TEST(UpstreamVerification, RefusesACommonNameAlone) {
  EXPECT_REFUSED(refusal({.common_name = "a.example"}, "a.example"), "no subject alternative names");
  EXPECT_REFUSED(refusal({.common_name = "a.example", .names = {"DNS:b.example"}}, "a.example"), "host name mismatch");
}

TEST(UpstreamVerification, RefusesAnExpiredCertificate) {
  std::string reason = refusal({.names = {"DNS:a.example"}, .from_days = -10, .until_days = -3}, "a.example");
  EXPECT_EQ(reason.find("certificate has expired: it was valid until 20"), 0U) << reason;
}

TEST(UpstreamVerification, RefusesACertificateOfTheFuture) {
  std::string reason = refusal({.names = {"DNS:a.example"}, .from_days = 2}, "a.example");
  EXPECT_EQ(reason.find("certificate is not yet valid: it is valid from 20"), 0U) << reason;
}

TEST(UpstreamVerification, RefusesASelfSignedCertificate) {
  EXPECT_REFUSED(refusal({.names = {"DNS:a.example"}}, "a.example", nullptr), "self-signed certificate");
}

TEST(UpstreamVerification, RefusesAnUnknownAuthority) {
  Identity stranger = make_root("Stranger");
  EXPECT_REFUSED(refusal({.names = {"DNS:a.example"}}, "a.example", &stranger),
                 "unknown certificate authority: CN=Stranger");
}

TEST(UpstreamVerification, RefusesACertificateForClients) {
  EXPECT_REFUSED(refusal({.names = {"DNS:a.example"}, .extended_key_usage = "clientAuth"}, "a.example"),
                 "not for a TLS server");
}

TEST(UpstreamVerification, RefusesAWeakKey) {
  EXPECT_REFUSED(refusal({.names = {"DNS:a.example"}, .rsa_bits = 1024}, "a.example"), "key too weak");
}

TEST(UpstreamVerification, RefusesALeafThatSignsLeaves) {
  Identity leaf = issue({.common_name = "not a CA", .names = {"DNS:a.example"}}, &root());
  Identity forged = issue({.names = {"DNS:a.example"}}, &leaf);
  UpstreamContext context = trusting(root());
  SslCtx server = server_context(forged);
  SSL_CTX_add_extra_chain_cert(server.get(), share(leaf.certificate.get()).release());
  Connection connection(context, server.get(), {.host = "a.example"});
  connection.run();
  EXPECT_EQ(connection.ours.channel->state(), Channel::State::Failed);
  EXPECT_EQ(connection.ours.channel->error().kind, ErrorKind::Certificate);
}

TEST(UpstreamContext, SendsDnsNamesAsServerNameAndAddressesNot) {
  UpstreamContext context = trusting(root());
  Identity identity = issue({.names = {"DNS:a.example", "IP:192.0.2.1"}}, &root());
  SslCtx server = server_context(identity);
  Connection by_name(context, server.get(), {.host = "a.example"});
  by_name.run();
  EXPECT_STREQ(SSL_get_servername(by_name.server_ssl, TLSEXT_NAMETYPE_host_name), "a.example");
  Connection by_address(context, server.get(), {.host = "192.0.2.1"});
  by_address.run();
  EXPECT_TRUE(both_open(by_address.ours, by_address.server));
  EXPECT_EQ(SSL_get_servername(by_address.server_ssl, TLSEXT_NAMETYPE_host_name), nullptr);
}

int choose_http(SSL*, const unsigned char** out, unsigned char* size, const unsigned char*, unsigned, void*) {
  static const unsigned char kHttp[] = {'h', 't', 't', 'p', '/', '1', '.', '1'};
  *out = kHttp;
  *size = sizeof kHttp;
  return SSL_TLSEXT_ERR_OK;
}

TEST(UpstreamContext, OffersAlpnAndTellsWhatTheServerChose) {
  UpstreamContext context = trusting(root());
  Identity identity = issue({.names = {"DNS:a.example"}}, &root());
  SslCtx server = server_context(identity);
  SSL_CTX_set_alpn_select_cb(server.get(), choose_http, nullptr);
  Connection connection(context, server.get(), {.host = "a.example", .alpn = {"h2", "http/1.1"}});
  connection.run();
  EXPECT_EQ(connection.ours.channel->alpn(), "http/1.1");
  EXPECT_EQ(summarize(connection.ours.channel->peer_certificate()).names, std::vector<std::string>{"a.example"});
}

TEST(UpstreamContext, RefusesNamesThatAreNone) {
  UpstreamContext context = trusting(root());
  ByteQueue output;
  EXPECT_FALSE(context.connect({.host = ""}, &output));
  EXPECT_FALSE(context.connect({.host = "a b"}, &output));
  EXPECT_FALSE(context.connect({.host = std::string("a\0b", 3)}, &output));
  EXPECT_FALSE(context.connect({.host = "a.example", .alpn = {""}}, &output));
}

TEST(UpstreamContext, SaysThatTheServerWantsAClientCertificate) {
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    UpstreamContext context = trusting(root());
    Identity identity = issue({.names = {"DNS:a.example"}}, &root());
    SslCtx server = server_context(identity, version);
    SSL_CTX_set_verify(server.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    Connection connection(context, server.get(), {.host = "a.example"});
    connection.run();
    const Channel& ours = *connection.ours.channel;
    EXPECT_TRUE(ours.peer_asked_for_certificate());
    EXPECT_EQ(ours.state(), Channel::State::Failed);
    EXPECT_EQ(ours.error().kind, ErrorKind::Certificate);
    EXPECT_REFUSED(ours.error().message, "client certificate");
  }
}

class UpstreamResumption : public ::testing::TestWithParam<int> {
 protected:
  UpstreamResumption()
      : context_(trusting(root())),
        identity_(issue({.names = {"DNS:a.example", "DNS:b.example"}}, &root())),
        server_(server_context(identity_, GetParam())) {
    SSL_CTX_set_session_id_context(server_.get(), reinterpret_cast<const unsigned char*>("test"), 4);
  }
  // A whole connection with an exchange, so that tickets arrive.
  bool resumes(const UpstreamName& name) {
    Connection connection(context_, server_.get(), name);
    connection.run();
    talk(connection);
    connection.ours.channel->shutdown();
    converse(connection.ours, connection.server);
    return connection.ours.channel->resumed();
  }
  static void talk(Connection& connection) {
    EXPECT_TRUE(both_open(connection.ours, connection.server));
    EXPECT_TRUE(connection.server.channel->write(as_bytes("hello")));
    converse(connection.ours, connection.server);
    EXPECT_EQ(connection.ours.received, "hello");
  }

  UpstreamContext context_;
  Identity identity_;
  SslCtx server_;
};

std::string version_name(const ::testing::TestParamInfo<int>& version) {
  return version.param == TLS1_3_VERSION ? "Tls13" : "Tls12";
}
INSTANTIATE_TEST_SUITE_P(Tls, UpstreamResumption, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION), version_name);

TEST_P(UpstreamResumption, ResumesAgainAndAgain) {
  UpstreamName name{.host = "a.example", .session_scope = "target"};
  EXPECT_FALSE(resumes(name));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(resumes(name)) << i;
}

TEST_P(UpstreamResumption, SimultaneousConnectionsAllResume) {
  UpstreamName name{.host = "a.example", .session_scope = "target"};
  EXPECT_FALSE(resumes(name));
  std::vector<std::unique_ptr<Connection>> connections;
  for (int i = 0; i < 8; ++i) {
    connections.push_back(std::make_unique<Connection>(context_, server_.get(), name));
    connections.back()->ours.channel->start();  // all have chosen their session before the first is done
  }
  for (auto& connection : connections) {
    converse(connection->ours, connection->server);
    talk(*connection);
    EXPECT_TRUE(connection->ours.channel->resumed());
  }
  connections.clear();  // without a shutdown: that must not spoil what is remembered
  EXPECT_TRUE(resumes(name));
}

TEST_P(UpstreamResumption, KeepsTheCertificateOfAResumedServer) {
  UpstreamName name{.host = "a.example", .session_scope = "target"};
  resumes(name);
  Connection connection(context_, server_.get(), name);
  connection.run();
  ASSERT_TRUE(connection.ours.channel->resumed());
  EXPECT_EQ(fingerprint_of(connection.ours.channel->peer_certificate()), fingerprint_of(identity_.certificate.get()));
}

TEST_P(UpstreamResumption, NeverAcrossScopesHostsOrProtocols) {
  EXPECT_FALSE(resumes({.host = "a.example", .session_scope = "target 1"}));
  EXPECT_FALSE(resumes({.host = "a.example", .session_scope = "target 2"}));
  EXPECT_FALSE(resumes({.host = "b.example", .session_scope = "target 1"}));
  EXPECT_FALSE(resumes({.host = "a.example", .session_scope = "target 1", .alpn = {"h2"}}));
  EXPECT_TRUE(resumes({.host = "a.example", .session_scope = "target 1"}));
}

TEST_P(UpstreamResumption, AChannelMayOutliveItsContext) {
  UpstreamName name{.host = "a.example", .session_scope = "target"};
  auto context = std::make_unique<UpstreamContext>(trusting(root()));
  Connection connection(*context, server_.get(), name);
  context.reset();
  connection.run();
  talk(connection);
}

TEST(UpstreamRoots, LoadsTheSystemsRoots) {
  Result<UpstreamRoots> roots = UpstreamRoots::load({});
  ASSERT_TRUE(roots) << roots.error().message;
  EXPECT_TRUE(UpstreamContext::create(*roots));
}

TEST(UpstreamRoots, LoadsAnExtraFileBesideThem) {
  std::string path = ::testing::TempDir() + "tls_extra_roots.pem";
  std::ofstream(path) << pem_of(root());
  UpstreamOptions options;
  options.extra_roots_file = path;
  UpstreamContext context = std::move(*UpstreamContext::create(options));
  std::remove(path.c_str());
  Identity identity = issue({.names = {"DNS:a.example"}}, &root());
  SslCtx server = server_context(identity);
  Connection connection(context, server.get(), {.host = "a.example"});
  connection.run();
  EXPECT_TRUE(both_open(connection.ours, connection.server));
}

// A system's bundle of our own, beside extra roots.
UpstreamContext trusting_bundle(const std::string& pem, const std::string& extra_pem = "") {
  std::string path = ::testing::TempDir() + "tls_system_bundle.pem";
  std::ofstream(path) << pem;
  UpstreamOptions options{.extra_roots_pem = extra_pem, .system_bundle = path};
  Result<UpstreamContext> context = UpstreamContext::create(options);
  std::remove(path.c_str());
  return std::move(*context);
}

bool trusts(const UpstreamContext& context, const Identity& issuer) {
  Identity identity = issue({.names = {"DNS:a.example"}}, &issuer);
  SslCtx server = server_context(identity);
  Connection connection(context, server.get(), {.host = "a.example"});
  connection.run();
  return connection.ours.channel->state() == Channel::State::Open;
}

TEST(UpstreamRoots, FindsTheSystemsRootsAsTheyAreNeeded) {
  Identity first = make_root("First Root"), second = make_root("Second Root"), unknown = make_root("Unknown Root");
  UpstreamContext context = trusting_bundle("a comment\n" + pem_of(first) + "another\n" + pem_of(second));
  for (int again = 0; again < 2; ++again) {
    EXPECT_TRUE(trusts(context, second));
    EXPECT_TRUE(trusts(context, first));
    EXPECT_FALSE(trusts(context, unknown));
  }
}

TEST(UpstreamRoots, FindsEveryRootOfAName) {
  Identity one = make_root("Twin Root"), other = make_root("Twin Root"), extra = make_root("Twin Root");
  Identity false_one = make_root("Twin Root");
  UpstreamContext context = trusting_bundle(pem_of(one) + pem_of(other), pem_of(extra));
  for (const Identity* twin : {&one, &other, &extra}) EXPECT_TRUE(trusts(context, *twin));
  EXPECT_FALSE(trusts(context, false_one));
}

TEST(UpstreamRoots, RefusesABundleThatCannotBeRead) {
  std::string path = ::testing::TempDir() + "tls_broken_bundle.pem";
  std::string good = pem_of(root());
  for (const std::string& broken : {std::string("nothing"), good.substr(0, good.size() / 2),
                                    std::string("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")}) {
    std::ofstream(path) << broken;
    Result<UpstreamRoots> roots = UpstreamRoots::load({.system_bundle = path});
    ASSERT_FALSE(roots) << broken;
    EXPECT_REFUSED(roots.error().message, path);
  }
  std::remove(path.c_str());
}

TEST(UpstreamRoots, SaysWhichFileCannotBeLoaded) {
  UpstreamOptions options;
  options.use_system_roots = false;
  options.extra_roots_file = "/nowhere/roots.pem";
  Result<UpstreamRoots> roots = UpstreamRoots::load(options);
  ASSERT_FALSE(roots);
  EXPECT_REFUSED(roots.error().message, "/nowhere/roots.pem");
  options.extra_roots_file.clear();
  options.extra_roots_pem = "not a certificate";
  EXPECT_FALSE(UpstreamRoots::load(options));
}

}  // namespace
}  // namespace waylay::tls::testing
