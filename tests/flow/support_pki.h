// Certificates of every kind, good and bad, made with OpenSSL when they are needed, and servers that show them.
#pragma once

#include <openssl/ocsp.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tls/channel.h"
#include "tls/openssl.h"

namespace waylay::flow::pki {

struct Identity {
  tls::Certificate certificate;
  tls::PrivateKey key;
  Identity copy() const { return {tls::share(certificate.get()), tls::share(key.get())}; }
};

struct Spec {
  std::string common_name = "leaf";           // empty: no subject
  std::string names = "DNS:www.origin.test";  // as in OpenSSL's configuration; empty: none
  std::string key = "P-256";                  // or P-384, Ed25519, RSA-2048
  int64_t from_days = -10, until_days = 30;
  std::string basic_constraints = "critical,CA:FALSE", key_usage = "critical,digitalSignature",
              extended_key_usage = "serverAuth", name_constraints, tls_feature;  // empty: not there
  bool key_identifiers = true;
  std::string digest = "SHA256";
  std::function<void(X509*)> change = {};  // before it is signed
};
Spec ca(std::string name, std::string basic_constraints = "critical,CA:TRUE");

Identity issue(const Spec& spec, const Identity* issuer);  // null: self-signed
std::string pem(const Identity& identity);
void spoil_signature(X509* certificate);
void add_unknown_critical_extension(X509* certificate);
void add_raw_dns_name(X509* certificate, std::string_view name);  // may hold any byte

struct OcspSpec {
  int status = V_OCSP_CERTSTATUS_GOOD;
  int64_t this_update_s = -3600;  // from now
  std::optional<int64_t> next_update_s = 3600;
  bool spoil = false;
};
std::string ocsp_response(const Identity& leaf, const Identity& issuer, const Identity& signer,
                          const OcspSpec& spec = {});
std::string ocsp_error(int status);

// What a server shows and speaks.
struct Server {
  Identity identity;
  std::vector<tls::Certificate> chain;  // behind it
  std::string stapled;                  // DER
  int version = 0;                      // the only one; 0: 1.2 and 1.3
  std::string ciphers, groups;          // of TLS 1.2; empty: OpenSSL's
  bool weak_dh = false, wants_client_certificate = false;
  std::string client_roots;  // PEM
  tls::SslCtx context() const;
};
tls::Channel accept(SSL_CTX* context, ByteQueue* output);

}  // namespace waylay::flow::pki
