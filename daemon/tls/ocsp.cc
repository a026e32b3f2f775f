#include "tls/ocsp.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/bytes.h"

namespace waylay::tls {
namespace {

using OcspResponse = Handle<OCSP_RESPONSE, OCSP_RESPONSE_free>;
using BasicResponse = Handle<OCSP_BASICRESP, OCSP_BASICRESP_free>;
using CertificateId = Handle<OCSP_CERTID, OCSP_CERTID_free>;
using Features = Handle<TLS_FEATURE, TLS_FEATURE_free>;

constexpr long kStatusRequest = 5;  // RFC 7633: the TLS extension that the certificate wants to be used
constexpr long kClockSkew_s = 300;  // between the responder's clock and ours, as other clients allow
constexpr long kAnyAge = -1;        // its nextUpdate decides
// Of a response without nextUpdate, whose responder has news at any time (RFC 6960 section 4.2.2.1): an old one may
// have been kept since before the certificate was revoked. As mozilla::pkix has it.
constexpr long kOldest_s = 24 * 60 * 60;

Problem stapling(std::string words) {
  ERR_clear_error();
  return {Cause::Stapling, std::move(words)};
}

bool must_staple(X509* certificate) {
  Features features(static_cast<TLS_FEATURE*>(X509_get_ext_d2i(certificate, NID_tlsfeature, nullptr, nullptr)));
  for (int i = 0; i < sk_ASN1_INTEGER_num(features.get()); ++i)
    if (ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features.get(), i)) == kStatusRequest) return true;
  return false;
}

// A responder names certificates by hashes of its own choice.
bool is_about(const OCSP_SINGLERESP* single, X509* leaf, X509* issuer) {
  auto* id = const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(single));
  ASN1_OBJECT* algorithm = nullptr;
  OCSP_id_get0_info(nullptr, &algorithm, nullptr, nullptr, id);
  const EVP_MD* digest = EVP_get_digestbyobj(algorithm);
  if (digest == nullptr) return false;
  CertificateId ours(OCSP_cert_to_id(digest, leaf, issuer));
  return ours && OCSP_id_cmp(ours.get(), id) == 0;
}

Problem check_single(OCSP_SINGLERESP* single) {
  ASN1_GENERALIZEDTIME *this_update = nullptr, *next_update = nullptr;
  int status = OCSP_single_get0_status(single, nullptr, nullptr, &this_update, &next_update);
  long oldest_s = next_update == nullptr ? kOldest_s : kAnyAge;
  if (OCSP_check_validity(this_update, next_update, kClockSkew_s, oldest_s) != 1)
    return stapling("the stapled OCSP response is out of date");
  if (status == V_OCSP_CERTSTATUS_GOOD) return {};
  if (status == V_OCSP_CERTSTATUS_REVOKED)
    return {Cause::Revoked, "the certificate is revoked (stapled OCSP response)"};
  return stapling("the stapled OCSP response does not know the certificate");
}

Problem check_response(Bytes der, STACK_OF(X509) * chain, X509_STORE* store) {
  const unsigned char* position = as_u8(der);
  OcspResponse response(d2i_OCSP_RESPONSE(nullptr, &position, static_cast<long>(der.size())));
  if (!response || position != as_u8(der) + der.size()) return stapling("the stapled OCSP response cannot be read");
  int status = OCSP_response_status(response.get());
  if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
    return stapling(std::string("the stapled OCSP response is an error: ") + OCSP_response_status_str(status));
  BasicResponse basic(OCSP_response_get1_basic(response.get()));
  if (!basic) return stapling("the stapled OCSP response is of an unknown kind");
  if (OCSP_basic_verify(basic.get(), chain, store, 0) != 1)
    return stapling("the stapled OCSP response is not signed by the certificate's authority");

  X509* leaf = sk_X509_value(chain, 0);
  X509* issuer = sk_X509_value(chain, sk_X509_num(chain) > 1 ? 1 : 0);
  for (int i = 0; i < OCSP_resp_count(basic.get()); ++i) {
    OCSP_SINGLERESP* single = OCSP_resp_get0(basic.get(), i);
    if (is_about(single, leaf, issuer)) return check_single(single);
  }
  return stapling("the stapled OCSP response is about another certificate");
}

}  // namespace

Problem check_stapling(SSL* ssl) {
  STACK_OF(X509)* chain = SSL_get0_verified_chain(ssl);
  if (chain == nullptr || sk_X509_num(chain) == 0) return stapling("no certificate to check an OCSP response for");
  unsigned char* response = nullptr;
  long size = SSL_get_tlsext_status_ocsp_resp(ssl, static_cast<void*>(&response));
  if (response != nullptr && size > 0) {
    X509_STORE* store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
    return check_response(as_bytes(response, static_cast<size_t>(size)), chain, store);
  }
  if (!must_staple(sk_X509_value(chain, 0))) return {};
  return stapling("the certificate demands a stapled OCSP response (must-staple), and none came");
}

}  // namespace waylay::tls
