// The certificate authority of one installation: its certificate and private key. It lives in the warden, which signs;
// the proxy has the certificate only (tls/leaf.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "tls/openssl.h"

namespace waylay::tls {

struct CaOptions {
  std::string host;  // whose CA it is, for people: it becomes part of the common name
  // DNS suffixes ("example.org" includes its subdomains) and networks ("10.0.0.0/8", "2001:db8::/32") to which the CA
  // is confined. Empty: no name constraints. If only one kind is given, the other is excluded wholly.
  std::vector<std::string> permitted_names;
};

class CertificateAuthority {
 public:
  // P-256, "Waylay CA <host> <short id>", path length 0, ten years from `now`.
  static Result<CertificateAuthority> make(const CaOptions& options, Time now);

  // Checks that the key belongs to the certificate, that it may sign certificates, and that it is P-256 or RSA of 2,048
  // bits or more.
  static Result<CertificateAuthority> load(std::string_view certificate_pem, std::string_view private_key_pem);

  X509* certificate() const { return certificate_.get(); }
  Result<std::string> certificate_pem() const;
  Result<std::string> private_key_pem() const;  // PKCS #8, not encrypted: for the warden's state directory, mode 0600

  // ECDSA-SHA256 or RSA-SHA256 over the DER of a to-be-signed certificate.
  Result<std::vector<std::byte>> sign(Bytes tbs) const;

 private:
  CertificateAuthority(Certificate certificate, PrivateKey key)
      : certificate_(std::move(certificate)), key_(std::move(key)) {}
  Certificate certificate_;
  PrivateKey key_;
};

}  // namespace waylay::tls
