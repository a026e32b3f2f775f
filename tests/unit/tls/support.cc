#include "unit/tls/support.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "tls/certificate.h"
#include "tls/connection_notes.h"
#include "tls/x509_builder.h"

namespace waylay::tls::testing {
namespace {

SSL* last_peer = nullptr;

PrivateKey make_key(int rsa_bits) {
  if (rsa_bits == 0) return std::move(*make_p256_key());
  return PrivateKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<size_t>(rsa_bits)));
}

void set_version(SSL_CTX* context, int version) {
  if (version == 0) return;
  SSL_CTX_set_min_proto_version(context, version);
  SSL_CTX_set_max_proto_version(context, version);
}

Channel peer(SSL_CTX* context, ByteQueue* output, bool server) {
  Ssl ssl(SSL_new(context));
  attach_notes(ssl.get());
  server ? SSL_set_accept_state(ssl.get()) : SSL_set_connect_state(ssl.get());
  last_peer = ssl.get();
  return Channel(std::move(ssl), output);
}

}  // namespace

Identity issue(const CertificateSpec& spec, const Identity* issuer) {
  Identity made{Certificate(X509_new()), make_key(spec.rsa_bits)};
  X509* certificate = made.certificate.get();
  int64_t now_s = now().wall_ns / kSecond_ns;
  X509* issuing = issuer == nullptr ? certificate : issuer->certificate.get();
  CHECK(X509_set_version(certificate, 2) == 1 && set_random_serial(certificate));
  CHECK(set_validity(certificate, now_s + spec.from_days * kDay_s, now_s + spec.until_days * kDay_s));
  CHECK(spec.common_name.empty() || set_common_name(certificate, spec.common_name));
  CHECK(X509_set_issuer_name(certificate, X509_get_subject_name(issuing)) == 1);
  CHECK(X509_set_pubkey(certificate, made.key.get()) == 1);
  CHECK(add_extension(certificate, issuing, NID_basic_constraints, spec.is_ca ? "critical,CA:TRUE" : "CA:FALSE"));
  CHECK(add_extension(certificate, issuing, NID_key_usage, spec.is_ca ? "critical,keyCertSign" : "digitalSignature"));
  CHECK(add_extension(certificate, issuing, NID_subject_key_identifier, "hash"));
  if (issuer != nullptr) CHECK(add_extension(certificate, issuing, NID_authority_key_identifier, "keyid"));
  if (!spec.is_ca) CHECK(add_extension(certificate, issuing, NID_ext_key_usage, spec.extended_key_usage.c_str()));
  std::string names;
  for (const std::string& name : spec.names) names.append(names.empty() ? "" : ",").append(name);
  if (!names.empty()) CHECK(add_extension(certificate, issuing, NID_subject_alt_name, names.c_str()));
  EVP_PKEY* key = issuer == nullptr ? made.key.get() : issuer->key.get();
  CHECK(X509_sign(certificate, key, EVP_sha256()) > 0);
  return made;
}

Identity make_root(const std::string& common_name) {
  return issue({.common_name = common_name, .until_days = 3650, .is_ca = true}, nullptr);
}

std::string pem_of(const Identity& identity) {
  return *to_pem(identity.certificate.get());
}

SslCtx server_context(const Identity& identity, int version) {
  SslCtx context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_set_security_level(context.get(), 0);  // the tests show weak certificates, too
  CHECK(SSL_CTX_use_certificate(context.get(), identity.certificate.get()) == 1);
  CHECK(SSL_CTX_use_PrivateKey(context.get(), identity.key.get()) == 1);
  set_version(context.get(), version);
  return context;
}

SslCtx client_context(const std::string& roots_pem, int version) {
  SslCtx context(SSL_CTX_new(TLS_client_method()));
  set_version(context.get(), version);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  if (roots_pem.empty()) return context;
  Certificate root = std::move(*certificate_from_pem(roots_pem));
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), root.get());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return context;
}

Channel plain_server(SSL_CTX* context, ByteQueue* output) {
  return peer(context, output, true);
}

Channel plain_client(SSL_CTX* context, const std::string& name, ByteQueue* output, const std::vector<std::string>& alpn,
                     SSL_SESSION* session) {
  Channel channel = peer(context, output, false);
  SSL* ssl = last_peer;
  std::string writable = name;
  if (!name.empty()) SSL_set_tlsext_host_name(ssl, writable.data());
  if (!name.empty()) SSL_set1_host(ssl, name.c_str());
  std::string list;
  for (const std::string& protocol : alpn) list += static_cast<char>(protocol.size()) + protocol;
  if (!list.empty()) SSL_set_alpn_protos(ssl, as_u8(as_bytes(list)), static_cast<unsigned>(list.size()));
  if (session != nullptr) SSL_set_session(ssl, session);
  return channel;
}

SSL* ssl_of_last_plain_peer() {
  return last_peer;
}

bool End::saw(Channel::Event event) const {
  return std::ranges::find(events, event) != events.end();
}

void End::take(Bytes ciphertext) {
  std::vector<std::byte> scratch(scratch_bytes);
  channel->put(ciphertext);
  for (;;) {
    Bytes plaintext;
    Channel::Event event = channel->next(scratch, plaintext);
    if (event == Channel::Event::NeedMore) return;
    received.append(as_text(plaintext));
    bool repeated = event == Channel::Event::Plaintext && !events.empty() && events.back() == event;
    if (!repeated) events.push_back(event);
    if (event == Channel::Event::Failed) return;
  }
}

void converse(End& a, End& b, size_t chunk) {
  while (!a.output.empty() || !b.output.empty()) {
    for (auto [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      // A copy in a block of its own size, so that the sanitizer sees every byte read beyond it.
      Bytes bytes = from->output.bytes().first(std::min(chunk, from->output.size()));
      std::vector<std::byte> sent(bytes.begin(), bytes.end());
      from->output.consume(sent.size());
      if (!sent.empty()) to->take(sent);
    }
  }
}

bool both_open(const End& a, const End& b) {
  return a.channel->state() == Channel::State::Open && b.channel->state() == Channel::State::Open;
}

ClientSide::ClientSide()
    : ca(std::move(*CertificateAuthority::make({.host = "testhost"}, now()))),
      ca_pem(*ca.certificate_pem()),
      minter(std::move(*LeafMinter::create(ca_pem))),
      keys(*TicketKeys::make(now())),
      context(std::move(*ClientContext::create(keys))),
      example(leaf("example.org")) {}

std::shared_ptr<const Leaf> ClientSide::leaf(const std::string& name, X509* mirror, LeafKey key) const {
  Result<UnsignedLeaf> prepared = minter->prepare({name, mirror, key}, now());
  CHECK(prepared.has_value());
  Result<std::vector<std::byte>> signature = ca.sign(prepared->tbs());
  CHECK(signature.has_value());
  return *minter->finish(std::move(*prepared), *signature);
}

}  // namespace waylay::tls::testing
