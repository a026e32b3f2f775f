// The steps of making an X509 that the CA's and the leaf's have in common.
#pragma once

#include <string>

#include "tls/openssl.h"

namespace waylay::tls {

constexpr int64_t kDay_s = int64_t{24} * 60 * 60;

Result<PrivateKey> make_p256_key();
// Keys in OpenSSL's older form (an EC_KEY, an RSA). X509_set_pubkey encodes and decodes a provider's key anew, which
// costs 0.24 ms for each certificate; this form is written as it is, in 7 us. Whatever else uses a key takes both.
Result<PrivateKey> make_p256_key_for_certificates();
Result<PrivateKey> make_rsa2048_key_for_certificates();
bool set_random_serial(X509* certificate);  // 127 bits, always of the same length in DER
bool set_validity(X509* certificate, int64_t from_s, int64_t until_s);
bool set_common_name(X509* certificate, const std::string& name);  // of the subject; at most 64 characters of UTF-8

// `value` as in OpenSSL's configuration: "critical,CA:TRUE,pathlen:0". The issuer may be the certificate itself.
bool add_extension(X509* certificate, X509* issuer, int nid, const char* value);

}  // namespace waylay::tls
