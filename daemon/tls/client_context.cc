#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include "tls/connection_notes.h"
#include "tls/context.h"
#include "tls/groups.h"
#include "tls/provider.h"
#include "tls/wire_reader.h"

namespace waylay::tls {
namespace {

// AES-128 first: a 16 KiB record costs 4.4 us instead of 5.5 with AES-256. The leaf's key decides between ECDSA and
// RSA.
constexpr const char* kTls13Suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kTls12Suites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kSignatures =  // OpenSSL would sign over SHA-224 for whoever wants nothing else
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:"
    "RSA+SHA256:RSA+SHA384:RSA+SHA512";
constexpr int kSecurityLevel = 2;  // 112 bits

// RFC 7301 section 3.2, in the place of the upstream, which has chosen already.
int choose_alpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                unsigned offered_size, void*) {
  const std::string& chosen = notes_of(ssl).alpn_chosen;
  if (chosen.empty()) return SSL_TLSEXT_ERR_NOACK;
  WireReader list(as_bytes(offered, offered_size));
  while (!list.empty()) {
    Bytes protocol = list.bytes8();
    if (as_text(protocol) != chosen) continue;
    *out = as_u8(protocol);
    *out_size = static_cast<unsigned char>(protocol.size());
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// What a ticket is bound to: OpenSSL resumes only where this is equal.
bool bind_tickets(SSL* ssl, std::string_view scope, const Fingerprint& leaf) {
  std::string bound(scope);
  bound.append(as_text(leaf));  // of fixed length, so that two scopes cannot run into each other
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(bound.data(), bound.size(), digest, &size, EVP_sha256(), nullptr) != 1) return false;
  return SSL_set_session_id_context(ssl, digest, size) == 1;
}

}  // namespace

Result<ClientContext> ClientContext::create(const TicketKeys& keys, Records records) {
  SslCtx context(SSL_CTX_new_ex(tls_library(), nullptr, TLS_server_method()));
  if (!context) return fail(openssl_error(ErrorKind::Unavailable, "making the TLS context for clients"));
  SSL_CTX* raw = context.get();
  SSL_CTX_set_security_level(raw, kSecurityLevel);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS |          // an idle connection costs 31 KiB instead of 60
                            SSL_MODE_NO_AUTO_CHAIN);        // the leaf is all that is sent
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);  // tickets only
  SSL_CTX_set_alpn_select_cb(raw, choose_alpn, nullptr);
  std::string signatures(kSignatures);  // OpenSSL's macro wants it writable
  bool set = SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION) == 1 &&
             SSL_CTX_set_max_proto_version(raw, TLS1_3_VERSION) == 1 &&
             SSL_CTX_set_ciphersuites(raw, kTls13Suites) == 1 && SSL_CTX_set_cipher_list(raw, kTls12Suites) == 1 &&
             SSL_CTX_set1_sigalgs_list(raw, signatures.data()) == 1 && set_groups(raw) &&
             SSL_CTX_set_num_tickets(raw, 1) == 1 &&  // each costs 15 to 40 us
             seal_tickets(raw, keys);
  if (!set) return fail(openssl_error(ErrorKind::Unavailable, "setting up the TLS context for clients"));
  return ClientContext(std::move(context), records);
}

int64_t ClientContext::renew_ticket_keys(Time now) {
  return tls::renew_ticket_keys(context_.get(), now);
}

Result<Channel> ClientContext::accept(const Leaf& leaf, std::string_view alpn_chosen, std::string_view ticket_scope,
                                      ByteQueue* output) const {
  ERR_clear_error();
  Ssl ssl(SSL_new(context_.get()));
  ConnectionNotes* notes = ssl ? attach_notes(ssl.get()) : nullptr;
  if (notes == nullptr) return fail(openssl_error(ErrorKind::Unavailable, "making a TLS endpoint for a client"));
  notes->own_records = records_ == Records::Own;
  notes->alpn_chosen = alpn_chosen;
  SSL_set_accept_state(ssl.get());
  if (SSL_use_cert_and_key(ssl.get(), leaf.certificate.get(), leaf.key.get(), nullptr, 1) != 1 ||
      !bind_tickets(ssl.get(), ticket_scope, leaf.fingerprint)) {
    return fail(openssl_error(ErrorKind::Invalid, "using the leaf certificate for " + leaf.name));
  }
  return Channel(std::move(ssl), output);
}

}  // namespace waylay::tls
