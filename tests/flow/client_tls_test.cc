// Clients whose TLS is not everybody's: encrypted ClientHellos, only RSA, only versions of the past.
#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/ssl.h>

#include <array>

#include "base/check.h"
#include "flow/support_pki.h"
#include "flow/support_playbook.h"
#include "tls/alert.h"
#include "tls/certificate.h"
#include "tls/connection_notes.h"

namespace waylay::flow {
namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: origin.test\r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

using Story = Playbook::Setup;

// Application data that nobody sealed.
std::string forged_record() {
  return std::string("\x17\x03\x03\x00\x20", 5).append(32, '?');
}

// A client of plain OpenSSL. It trusts us, and the origin with it.
class PlainClient {
 public:
  explicit PlainClient(std::string server_name = "origin.test")
      : server_name_(std::move(server_name)), context_(SSL_CTX_new(TLS_client_method())) {
    TestWorld& world = TestWorld::instance();
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), world.waylay_ca.certificate());
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), world.origin_ca.certificate());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  }
  SSL_CTX* context() { return context_.get(); }
  void tell(Story& story) {
    story.client = [this](ByteQueue* output) {
      tls::Ssl ssl(SSL_new(context_.get()));
      CHECK(tls::attach_notes(ssl.get()) != nullptr);
      SSL_set_tlsext_host_name(ssl.get(), server_name_.data());
      SSL_set1_host(ssl.get(), server_name_.c_str());
      SSL_set_connect_state(ssl.get());
      return tls::Channel(std::move(ssl), output);
    };
    story.client_alpn = {};
  }

 private:
  std::string server_name_;
  tls::SslCtx context_;
};

// --- Encrypted ClientHello (RFC 9849) ---

// As a real one looks on the wire, and GREASE too: that is its point.
constexpr std::array<unsigned char, 8> kEchHead = {0, 0, 1, 0, 1, 42, 0, 32};  // outer, HKDF-SHA256, AES-128-GCM, 42
constexpr size_t kEchBytes = kEchHead.size() + 32 + 2 + 208;

int add_ech(SSL*, unsigned, unsigned, const unsigned char** out, size_t* size, X509*, size_t, int*, void*) {
  static const std::string bytes = [] {
    std::string made(kEchHead.begin(), kEchHead.end());
    made.append(32, 'k');
    made.append({'\0', static_cast<char>(208)});
    return made.append(208, 'p');
  }();
  *out = as_u8(as_bytes(bytes));
  *size = bytes.size();
  return 1;
}

int read_retry_configs(SSL*, unsigned, unsigned, const unsigned char*, size_t, X509*, size_t, int*, void* answered) {
  *static_cast<bool*>(answered) = true;
  return 1;
}

// Whether the server sent the extension back is in `answered`.
void offer_ech(SSL_CTX* context, bool& answered) {
  unsigned where = SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS | SSL_EXT_TLS1_3_HELLO_RETRY_REQUEST;
  CHECK(SSL_CTX_add_custom_ext(context, 0xfe0d, where, add_ech, nullptr, nullptr, read_retry_configs, &answered) == 1);
}

TEST(EncryptedClientHello, GreaseIsInterceptedAsIfItWereNotThere) {
  static_assert(kEchBytes == 250);
  PlainClient client;
  bool answered = false;
  offer_ech(client.context(), answered);
  Story story;
  client.tell(story);
  Playbook play(story);
  play.client_says(kGet);
  EXPECT_EQ(play.origin_got(), kGet) << play.transcript();
  play.origin_says(kOk);
  EXPECT_EQ(play.client_got(), kOk);
  EXPECT_FALSE(answered);
  EXPECT_TRUE(play.facts().ech_offered);
  EXPECT_EQ(play.facts().outcome, Outcome::Intercepted);
}

TEST(EncryptedClientHello, GreaseSurvivesAHelloRetryRequest) {
  PlainClient client;
  bool answered = false;
  offer_ech(client.context(), answered);
  std::string groups = "X448:P-384";  // its first share is for a group that we do not have
  ASSERT_EQ(SSL_CTX_set1_groups_list(client.context(), groups.data()), 1);
  Story story;
  client.tell(story);
  Playbook play(story);
  play.client_says(kGet);
  EXPECT_EQ(play.origin_got(), kGet) << play.transcript();
  EXPECT_FALSE(answered);
}

TEST(EncryptedClientHello, IsPassedThroughWhereThatIsConfigured) {
  PlainClient client;
  bool answered = false;
  offer_ech(client.context(), answered);
  Story story;
  client.tell(story);
  story.client_policy.ech = tls::EchPolicy::Passthrough;
  Playbook play(story);
  play.client_says(kGet);
  EXPECT_EQ(play.facts().outcome, Outcome::PassedThrough) << play.transcript();
  EXPECT_EQ(play.facts().reason, "client offers an encrypted ClientHello, which is configured to be left alone");
  EXPECT_TRUE(play.facts().ech_offered);
  EXPECT_NE(play.issuer_seen_by_client().find("Waylay CA origin"), std::string::npos) << "the origin's own certificate";
  EXPECT_EQ(play.origin_got(), kGet);
}

TEST(EncryptedClientHello, OfNobodyElseIsPassedThrough) {
  Story story;
  story.client_policy.ech = tls::EchPolicy::Passthrough;
  Playbook play(story);
  play.client_says(kGet);
  EXPECT_EQ(play.facts().outcome, Outcome::Intercepted) << play.transcript();
  EXPECT_FALSE(play.facts().ech_offered);
}

// The client's first application traffic secret (RFC 8446 section 7.1), which OpenSSL tells in its key log.
std::string logged_secret;
void keep_secret(const SSL*, const char* line) {
  std::string_view text(line);
  if (text.starts_with("CLIENT_TRAFFIC_SECRET_0 ")) logged_secret = text.substr(text.rfind(' ') + 1);
}

std::vector<unsigned char> from_hex(std::string_view digits) {
  std::vector<unsigned char> bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(static_cast<unsigned char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
  return bytes;
}

// HKDF-Expand-Label with SHA-256 and an empty context.
std::vector<unsigned char> expanded(std::vector<unsigned char> secret, std::string_view name, size_t size) {
  std::string label = "tls13 " + std::string(name);
  std::string info = {static_cast<char>(size >> 8), static_cast<char>(size), static_cast<char>(label.size())};
  info.append(label).push_back('\0');
  Handle<EVP_KDF, EVP_KDF_free> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  Handle<EVP_KDF_CTX, EVP_KDF_CTX_free> context(EVP_KDF_CTX_new(kdf.get()));
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  std::string digest = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
                               OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
                               OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret.data(), secret.size()),
                               OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
                               OSSL_PARAM_construct_end()};
  std::vector<unsigned char> out(size);
  CHECK(EVP_KDF_derive(context.get(), out.data(), out.size(), params) == 1);
  return out;
}

// The first record under that secret: a fatal alert (RFC 8446 section 5.2, AES-128-GCM).
std::string sealed_alert(uint8_t description) {
  std::vector<unsigned char> secret = from_hex(logged_secret);
  std::vector<unsigned char> key = expanded(secret, "key", 16), nonce = expanded(secret, "iv", 12);
  const std::array<unsigned char, 3> content = {2, description, 21};
  std::array<unsigned char, 5 + 3 + 16> record = {23, 3, 3, 0, 3 + 16};
  Handle<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> seal(EVP_CIPHER_CTX_new());
  int size = 0;
  CHECK(EVP_EncryptInit_ex2(seal.get(), EVP_aes_128_gcm(), key.data(), nonce.data(), nullptr) == 1);
  CHECK(EVP_EncryptUpdate(seal.get(), nullptr, &size, record.data(), 5) == 1);
  CHECK(EVP_EncryptUpdate(seal.get(), record.data() + 5, &size, content.data(), 3) == 1);
  CHECK(EVP_EncryptFinal_ex(seal.get(), record.data() + 8, &size) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(seal.get(), EVP_CTRL_AEAD_GET_TAG, 16, record.data() + 8) == 1);
  return std::string(record.begin(), record.end());
}

// Section 6.1.6: a client whose ECH was not taken verifies the certificate for the outer name, and then ends the
// connection with ech_required to come again without. So our certificate was believed, and nothing is learned.
TEST(EncryptedClientHello, ARealOneEndsWithEchRequiredAndTeachesNoPassthrough) {
  PlainClient client("public.origin.test");
  bool answered = false;
  offer_ech(client.context(), answered);
  SSL_CTX_set_keylog_callback(client.context(), keep_secret);
  SSL_CTX_set_ciphersuites(client.context(), "TLS_AES_128_GCM_SHA256");
  Rejections rejections;
  Story story;
  story.name = "public.origin.test";
  story.rejections = &rejections;
  client.tell(story);
  Playbook play(story);
  play.run();
  EXPECT_EQ(play.facts().server_name, "public.origin.test");
  EXPECT_FALSE(answered) << "no retry configurations: ECH is securely disabled";
  ASSERT_FALSE(logged_secret.empty()) << play.transcript();
  play.client_sends_raw(sealed_alert(static_cast<uint8_t>(tls::Alert::EchRequired)));
  play.client_closes(false);
  EXPECT_EQ(rejections.size(), 0u);
  EXPECT_NE(play.facts().reason.find("ech_required"), std::string::npos) << play.transcript();
  EXPECT_TRUE(play.flow().finished());

  Playbook::Setup again;  // as clients do
  again.rejections = &rejections;
  Playbook second(again);
  second.client_says(kGet);
  EXPECT_EQ(second.facts().outcome, Outcome::Intercepted) << second.transcript();
}

// --- Keys of certificates ---

std::string leaf_key_seen(Story story, SSL_CTX* context) {
  std::string seen;
  SSL_CTX_set_cert_verify_callback(
      context,
      [](X509_STORE_CTX* verification, void* out) {
        X509* leaf = X509_STORE_CTX_get0_cert(verification);
        *static_cast<std::string*>(out) = EVP_PKEY_is_a(X509_get0_pubkey(leaf), "RSA") ? "RSA" : "EC";
        return X509_verify_cert(verification);
      },
      &seen);
  Playbook play(std::move(story));
  play.client_says(kGet);
  EXPECT_EQ(play.origin_got(), kGet) << play.transcript();
  EXPECT_EQ(play.facts().outcome, Outcome::Intercepted);
  return seen;
}

TEST(LeafKeys, AreP256ForModernClients) {
  PlainClient client;
  Story story;
  client.tell(story);
  EXPECT_EQ(leaf_key_seen(story, client.context()), "EC");
}

TEST(LeafKeys, AreRsaForClientsThatKnowNothingElse) {
  PlainClient client;
  SSL_CTX_set_max_proto_version(client.context(), TLS1_2_VERSION);
  ASSERT_EQ(SSL_CTX_set_cipher_list(client.context(), "ECDHE-RSA-AES128-GCM-SHA256"), 1);
  Story story;
  client.tell(story);
  EXPECT_EQ(leaf_key_seen(story, client.context()), "RSA");
  PlainClient modern;
  std::string algorithms = "rsa_pss_rsae_sha256";  // OpenSSL's macro wants it writable
  ASSERT_EQ(SSL_CTX_set1_sigalgs_list(modern.context(), algorithms.data()), 1);
  modern.tell(story);
  EXPECT_EQ(leaf_key_seen(story, modern.context()), "RSA");
}

TEST(LeafKeys, AreAsConfigured) {
  PlainClient client;
  Story story;
  client.tell(story);
  story.client_policy.leaf_key = tls::LeafKeyPolicy::Rsa2048;
  EXPECT_EQ(leaf_key_seen(story, client.context()), "RSA");
}

TEST(LeafKeys, OfP256AloneRefuseAClientThatKnowsOnlyRsa) {
  PlainClient client;
  SSL_CTX_set_max_proto_version(client.context(), TLS1_2_VERSION);
  ASSERT_EQ(SSL_CTX_set_cipher_list(client.context(), "ECDHE-RSA-AES128-GCM-SHA256"), 1);
  Story story;
  client.tell(story);
  story.client_policy.leaf_key = tls::LeafKeyPolicy::P256;
  Playbook play(story);
  play.run();
  EXPECT_EQ(play.facts().outcome, Outcome::Failed);
  EXPECT_NE(play.client_error().find("handshake_failure"), std::string::npos) << play.client_error();
}

// --- Clients without a server name ---

struct Nameless {
  tls::SslCtx origin, client;
  Story story;

  // The origin's certificate is for these; the client verifies the chain, and this name unless it is empty.
  Nameless(const std::string& names, const std::string& meant) {
    TestWorld& world = TestWorld::instance();
    root_ = pki::issue(pki::ca("nameless"), nullptr);
    pki::Server server;
    pki::Spec spec;
    spec.names = names;
    server.identity = pki::issue(spec, &root_);
    origin = server.context();
    tls::UpstreamOptions options;
    options.use_system_roots = false;
    options.extra_roots_pem = pki::pem(root_);
    upstream_ = std::make_unique<tls::UpstreamContext>(std::move(*tls::UpstreamContext::create(options)));
    client.reset(SSL_CTX_new(TLS_client_method()));
    X509_STORE_add_cert(SSL_CTX_get_cert_store(client.get()), world.waylay_ca.certificate());
    SSL_CTX_set_verify(client.get(), SSL_VERIFY_PEER, nullptr);
    story.upstream = upstream_.get();
    story.origin = [this](ByteQueue* output) { return pki::accept(origin.get(), output); };
    story.client_alpn = {};
    story.client = [this, meant](ByteQueue* output) {
      tls::Ssl ssl(SSL_new(client.get()));
      CHECK(tls::attach_notes(ssl.get()) != nullptr);
      if (!meant.empty()) SSL_set1_host(ssl.get(), meant.c_str());
      SSL_set_connect_state(ssl.get());
      return tls::Channel(std::move(ssl), output);
    };
  }

 private:
  pki::Identity root_;
  std::unique_ptr<tls::UpstreamContext> upstream_;
};

TEST(WithoutServerName, ACertificateForHostsIsShownForTheClientToJudge) {
  Nameless world("DNS:a.origin.test,DNS:*.b.origin.test", "x.b.origin.test");
  Playbook play(world.story);
  play.client_says(kGet);
  EXPECT_EQ(play.origin_got(), kGet) << play.transcript();
  EXPECT_EQ(play.facts().server_name, "192.0.2.10");

  Nameless strict("DNS:a.origin.test", "other.test");
  Playbook refused(strict.story);
  refused.run();
  EXPECT_EQ(refused.facts().outcome, Outcome::Failed) << "the leaf has no name that the upstream does not have";
  EXPECT_EQ(refused.origin_got(), "");
}

TEST(WithoutServerName, ACertificateForAddressesMustBeForThisOne) {
  Nameless right("IP:192.0.2.10,DNS:a.origin.test", "");
  Playbook play(right.story);
  play.client_says(kGet);
  EXPECT_EQ(play.origin_got(), kGet) << play.transcript();
  for (const char* names : {"IP:192.0.2.11,DNS:a.origin.test", "DNS:192.0.2.10", "DNS:*.0.2.10"}) {
    Nameless wrong(names, "");
    Playbook refused(wrong.story);
    refused.run();
    EXPECT_EQ(refused.facts().tls_failure, tls::Cause::WrongHost) << names;
    EXPECT_EQ(refused.origin_got(), "");
  }
}

// The leaf is made from the address alone before the upstream is asked, so it must be for that.
TEST(WithoutServerName, AnUpstreamThatIsConnectedLateMustBeForTheAddress) {
  Nameless world("DNS:a.origin.test", "192.0.2.10");
  world.story.rules = R"({"name": "mock", "match": "http.request.uri == \"/mock\"", "respond": {"status": 204}})";
  Playbook play(world.story);
  play.client_says("GET /mock HTTP/1.1\r\nHost: a.origin.test\r\n\r\n");
  EXPECT_NE(play.client_got().find("204"), std::string::npos) << play.transcript();
  play.client_says(kGet);
  EXPECT_EQ(play.origin_got(), "") << play.transcript();
  EXPECT_EQ(play.facts().tls_failure, tls::Cause::WrongHost);
}

// --- Versions of the past ---

TEST(OldVersions, ArePassedThroughAndWork) {
  TestWorld& world = TestWorld::instance();
  for (int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    PlainClient client;
    SSL_CTX_set_security_level(client.context(), 0);
    SSL_CTX_set_min_proto_version(client.context(), version);
    SSL_CTX_set_max_proto_version(client.context(), version);
    pki::Server old;
    auto leaf = world.leaf(world.origin_ca, *world.origin_minter, "origin.test", nullptr, now());
    old.identity = {tls::share(leaf->certificate.get()), tls::share(leaf->key.get())};
    old.version = version;
    tls::SslCtx origin = old.context();
    Story story;
    client.tell(story);
    story.origin = [&](ByteQueue* output) { return pki::accept(origin.get(), output); };
    Playbook play(story);
    play.client_says(kGet);
    EXPECT_EQ(play.origin_got(), kGet) << play.transcript();
    play.origin_says(kOk);
    EXPECT_EQ(play.client_got(), kOk);
    EXPECT_EQ(play.facts().outcome, Outcome::PassedThrough);
    EXPECT_EQ(play.facts().reason, "client offers no TLS version above 1.1");
  }
}

TEST(OldVersions, AreKeptFromTheOriginWhereARuleBlocksThem) {
  PlainClient client;
  SSL_CTX_set_security_level(client.context(), 0);
  SSL_CTX_set_min_proto_version(client.context(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(client.context(), TLS1_1_VERSION);
  Story story;
  client.tell(story);
  story.rules = R"({"name": "modern", "match": "tls.handshake.version < 0x0303", "block": true})";
  Playbook play(story);
  play.run();
  EXPECT_EQ(play.connections(), 0) << play.transcript();
  EXPECT_EQ(play.facts().reason, "blocked by rule modern");
}

// SSL 3.0, without extensions, as nothing sends it any more.
TEST(OldVersions, OfSsl3IsPassedThroughAsItCame) {
  std::string hello("\x16\x03\x00\x00\x2d\x01\x00\x00\x29\x03\x00", 11);
  hello.append(32, 'r').append(1, '\0').append("\x00\x02\x00\x05\x01\x00", 6);
  Playbook play;
  play.client_sends_raw(hello);
  EXPECT_EQ(play.facts().outcome, Outcome::PassedThrough) << play.transcript();
  EXPECT_EQ(play.facts().reason, "client offers no TLS version above 1.1");
}

// --- Records that are wrong ---

// RFC 8446 section 6.2: the reason first, then the end; a reset could overtake it.
TEST(ForgedRecords, OfAClientAreAnsweredWithAnAlert) {
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    PlainClient client;
    SSL_CTX_set_max_proto_version(client.context(), version);
    Story story;
    client.tell(story);
    Playbook play(story);
    play.client_says(kGet);
    play.origin_says(kOk);
    play.flow().on_client_bytes(as_bytes(forged_record()), {});
    play.run();
    EXPECT_NE(play.client_error().find("bad_record_mac"), std::string::npos) << play.transcript();
    EXPECT_TRUE(play.client_saw("CloseClient"));
    EXPECT_FALSE(play.client_saw("ResetClient"));
    EXPECT_TRUE(play.flow().finished());
  }
}

TEST(ForgedRecords, OfAnOriginAreAnsweredWithAnAlert) {
  Playbook play;
  play.client_says(kGet);
  play.flow().on_upstream_bytes(1, as_bytes(forged_record()), {});
  play.run();
  EXPECT_NE(play.origin_error().find("bad_record_mac"), std::string::npos) << play.transcript();
  EXPECT_TRUE(play.client_saw("CloseUpstream"));
  EXPECT_TRUE(play.client_saw("ResetClient")) << "which waits for an answer, and gets no part of one";
  EXPECT_TRUE(play.flow().finished());
}

}  // namespace
}  // namespace waylay::flow
