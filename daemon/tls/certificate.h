// What a person or a flow record wants to know about a certificate.
#pragma once

#include <array>
#include <vector>

#include "base/bytes.h"
#include "tls/openssl.h"

namespace waylay::tls {

using Fingerprint = std::array<std::byte, 32>;  // SHA-256 of the DER; all zero stands for "no certificate"

Fingerprint fingerprint_of(const X509* certificate);  // null gives zeros

struct CertificateSummary {
  std::string subject;  // RFC 2253: "CN=example.org,O=Example"
  std::string issuer;
  std::vector<std::string> names;  // DNS names and IP addresses of the SAN, in order, at most 200
  int64_t not_before_s = 0;        // seconds since 1970-01-01 UTC
  int64_t not_after_s = 0;
  std::string serial;       // hexadecimal, upper case
  std::string key;          // "EC P-256", "RSA 2048"
  std::string fingerprint;  // SHA-256, hexadecimal
};
CertificateSummary summarize(X509* certificate);

std::vector<std::string> subject_alternative_names(const X509* certificate, size_t at_most);  // DNS and IP only
int64_t not_after_s(const X509* certificate);
int64_t not_before_s(const X509* certificate);

Result<Certificate> certificate_from_pem(std::string_view pem);  // the first one
Result<PrivateKey> private_key_from_pem(std::string_view pem);   // one behind a passphrase is refused
Result<std::string> to_pem(X509* certificate);
std::vector<std::byte> to_der(X509* certificate);

}  // namespace waylay::tls
