#include "flow/support_pki.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <map>

#include "base/check.h"
#include "tls/certificate.h"
#include "tls/connection_notes.h"
#include "tls/x509_builder.h"

namespace waylay::flow::pki {
namespace {

using GeneralNames = Handle<GENERAL_NAMES, GENERAL_NAMES_free>;
using BasicResponse = Handle<OCSP_BASICRESP, OCSP_BASICRESP_free>;
using Response = Handle<OCSP_RESPONSE, OCSP_RESPONSE_free>;
using Time = Handle<ASN1_TIME, ASN1_TIME_free>;
using Extension = Handle<X509_EXTENSION, X509_EXTENSION_free>;
using Object = Handle<ASN1_OBJECT, ASN1_OBJECT_free>;
using OctetString = Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;

EVP_PKEY* generate(const std::string& kind) {
  if (kind.starts_with("RSA-")) return EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{std::stoul(kind.substr(4))});
  if (kind.starts_with("P-")) return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", kind.c_str());
  return EVP_PKEY_Q_keygen(nullptr, nullptr, kind.c_str());
}

// RSA keys take long to make, so they are used again, each for certificates of one name.
tls::PrivateKey key_for(const Spec& spec) {
  if (!spec.key.starts_with("RSA-")) return tls::PrivateKey(generate(spec.key));
  static std::map<std::string, tls::PrivateKey> made;
  tls::PrivateKey& key = made[spec.key + spec.common_name];
  if (!key) key.reset(generate(spec.key));
  return tls::share(key.get());
}

void add(X509* certificate, X509* issuer, int nid, const std::string& value) {
  if (value.empty()) return;
  CHECK(tls::add_extension(certificate, issuer, nid, value.c_str()));
}

std::string der_of(OCSP_RESPONSE* response) {
  unsigned char* der = nullptr;
  int size = i2d_OCSP_RESPONSE(response, &der);
  CHECK(size > 0);
  std::string text(as_text(as_bytes(der, static_cast<size_t>(size))));
  OPENSSL_free(der);
  return text;
}

EVP_PKEY* weak_group() {
  Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free> making(EVP_PKEY_CTX_new_from_name(nullptr, "DH", nullptr));
  EVP_PKEY* group = nullptr;
  CHECK(EVP_PKEY_paramgen_init(making.get()) == 1 && EVP_PKEY_CTX_set_group_name(making.get(), "modp_1536") == 1);
  CHECK(EVP_PKEY_paramgen(making.get(), &group) == 1);
  return group;
}

int choose_http1(SSL*, const unsigned char** out, unsigned char* size, const unsigned char*, unsigned, void*) {
  static const unsigned char kHttp1[] = {'h', 't', 't', 'p', '/', '1', '.', '1'};
  *out = kHttp1;
  *size = sizeof kHttp1;
  return SSL_TLSEXT_ERR_OK;
}

int staple(SSL* ssl, void* argument) {
  const auto& stapled = *static_cast<const std::string*>(argument);
  if (stapled.empty()) return SSL_TLSEXT_ERR_NOACK;
  auto* copy = static_cast<unsigned char*>(OPENSSL_memdup(stapled.data(), stapled.size()));
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(stapled.size()));
  return SSL_TLSEXT_ERR_OK;
}

// OpenSSL wants the DER to live as long as the context.
std::string* kept(const std::string& stapled) {
  static std::vector<std::unique_ptr<std::string>> all;
  return all.emplace_back(std::make_unique<std::string>(stapled)).get();
}

}  // namespace

Spec ca(std::string name, std::string basic_constraints) {
  Spec spec;
  spec.common_name = std::move(name);
  spec.names.clear();
  spec.until_days = 3650;
  spec.basic_constraints = std::move(basic_constraints);
  spec.key_usage = "critical,keyCertSign,cRLSign";
  spec.extended_key_usage.clear();
  return spec;
}

Identity issue(const Spec& spec, const Identity* issuer) {
  Identity made{tls::Certificate(X509_new()), key_for(spec)};
  X509* certificate = made.certificate.get();
  X509* issuing = issuer == nullptr ? certificate : issuer->certificate.get();
  auto now_s = static_cast<int64_t>(std::time(nullptr));
  CHECK(made.key && X509_set_version(certificate, 2) == 1 && tls::set_random_serial(certificate));
  CHECK(tls::set_validity(certificate, now_s + spec.from_days * tls::kDay_s, now_s + spec.until_days * tls::kDay_s));
  if (!spec.common_name.empty()) CHECK(tls::set_common_name(certificate, spec.common_name));
  CHECK(X509_set_issuer_name(certificate, X509_get_subject_name(issuing)) == 1);
  CHECK(X509_set_pubkey(certificate, made.key.get()) == 1);
  add(certificate, issuing, NID_basic_constraints, spec.basic_constraints);
  add(certificate, issuing, NID_key_usage, spec.key_usage);
  add(certificate, issuing, NID_ext_key_usage, spec.extended_key_usage);
  add(certificate, issuing, NID_name_constraints, spec.name_constraints);
  add(certificate, issuing, NID_tlsfeature, spec.tls_feature);
  add(certificate, issuing, NID_subject_alt_name, spec.names);
  if (spec.key_identifiers) add(certificate, issuing, NID_subject_key_identifier, "hash");
  bool names_issuer = spec.key_identifiers && issuer != nullptr && X509_get0_subject_key_id(issuing) != nullptr;
  if (names_issuer) add(certificate, issuing, NID_authority_key_identifier, "keyid");
  if (spec.change) spec.change(certificate);
  EVP_PKEY* key = issuer == nullptr ? made.key.get() : issuer->key.get();
  const EVP_MD* digest = EVP_PKEY_is_a(key, "ED25519") == 1 ? nullptr : EVP_get_digestbyname(spec.digest.c_str());
  CHECK(X509_sign(certificate, key, digest) > 0);
  return made;
}

std::string pem(const Identity& identity) {
  return *tls::to_pem(identity.certificate.get());
}

void spoil_signature(X509* certificate) {
  const ASN1_BIT_STRING* signature = nullptr;
  X509_get0_signature(&signature, nullptr, certificate);
  const_cast<ASN1_BIT_STRING*>(signature)->data[signature->length - 1] ^= 1;
}

void add_unknown_critical_extension(X509* certificate) {
  Object type(OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1));
  OctetString value(ASN1_OCTET_STRING_new());
  CHECK(ASN1_OCTET_STRING_set(value.get(), as_u8(as_bytes(std::string_view("\x05\x00", 2))), 2) == 1);
  Extension extension(X509_EXTENSION_create_by_OBJ(nullptr, type.get(), 1, value.get()));
  CHECK(X509_add_ext(certificate, extension.get(), -1) == 1);
}

void add_raw_dns_name(X509* certificate, std::string_view name) {
  GeneralNames names(sk_GENERAL_NAME_new_null());
  GENERAL_NAME* general = GENERAL_NAME_new();
  ASN1_STRING* text = ASN1_STRING_type_new(V_ASN1_IA5STRING);
  CHECK(ASN1_STRING_set(text, name.data(), static_cast<int>(name.size())) == 1);
  GENERAL_NAME_set0_value(general, GEN_DNS, text);
  CHECK(sk_GENERAL_NAME_push(names.get(), general) > 0);
  CHECK(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_REPLACE) == 1);
}

std::string ocsp_response(const Identity& leaf, const Identity& issuer, const Identity& signer, const OcspSpec& spec) {
  std::time_t now_s = std::time(nullptr);
  BasicResponse basic(OCSP_BASICRESP_new());
  OCSP_CERTID* id = OCSP_cert_to_id(EVP_sha1(), leaf.certificate.get(), issuer.certificate.get());
  Time revoked(ASN1_TIME_set(nullptr, now_s - 7200)), from(ASN1_TIME_set(nullptr, now_s + spec.this_update_s)),
      until(spec.next_update_s ? ASN1_TIME_set(nullptr, now_s + *spec.next_update_s) : nullptr);
  bool is_revoked = spec.status == V_OCSP_CERTSTATUS_REVOKED;
  CHECK(OCSP_basic_add1_status(basic.get(), id, spec.status, OCSP_REVOKED_STATUS_KEYCOMPROMISE,
                               is_revoked ? revoked.get() : nullptr, from.get(), until.get()) != nullptr);
  OCSP_CERTID_free(id);
  CHECK(OCSP_basic_sign(basic.get(), signer.certificate.get(), signer.key.get(), EVP_sha256(), nullptr, 0) == 1);
  if (spec.spoil) {
    const ASN1_OCTET_STRING* signature = OCSP_resp_get0_signature(basic.get());
    const_cast<ASN1_OCTET_STRING*>(signature)->data[signature->length - 1] ^= 1;
  }
  Response response(OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
  return der_of(response.get());
}

std::string ocsp_error(int status) {
  Response response(OCSP_response_create(status, nullptr));
  return der_of(response.get());
}

tls::SslCtx Server::context() const {
  tls::SslCtx made(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* raw = made.get();
  SSL_CTX_set_security_level(raw, 0);  // it is to show what should not be shown
  SSL_CTX_set_min_proto_version(raw, version == 0 ? TLS1_2_VERSION : version);
  if (version != 0) SSL_CTX_set_max_proto_version(raw, version);
  if (identity.certificate) {
    CHECK(SSL_CTX_use_certificate(raw, identity.certificate.get()) == 1);
    CHECK(SSL_CTX_use_PrivateKey(raw, identity.key.get()) == 1);
  }
  for (const tls::Certificate& each : chain) CHECK(SSL_CTX_add1_chain_cert(raw, each.get()) == 1);
  if (!ciphers.empty()) CHECK(SSL_CTX_set_cipher_list(raw, ciphers.c_str()) == 1);
  if (weak_dh) CHECK(SSL_CTX_set0_tmp_dh_pkey(raw, weak_group()) == 1);
  if (wants_client_certificate) {
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    if (!client_roots.empty()) {
      tls::Certificate root = std::move(*tls::certificate_from_pem(client_roots));
      X509_STORE_add_cert(SSL_CTX_get_cert_store(raw), root.get());
    }
  }
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(raw, choose_http1, nullptr);
  SSL_CTX_set_tlsext_status_cb(raw, staple);
  SSL_CTX_set_tlsext_status_arg(raw, kept(stapled));
  return made;
}

tls::Channel accept(SSL_CTX* context, ByteQueue* output) {
  tls::Ssl ssl(SSL_new(context));
  CHECK(tls::attach_notes(ssl.get()) != nullptr);
  SSL_set_accept_state(ssl.get());
  return tls::Channel(std::move(ssl), output);
}

}  // namespace waylay::flow::pki
