#include "tls/trust_anchor.h"

#include <openssl/x509.h>

#include <array>
#include <cstdio>

#include "base/bytes.h"
#include "tls/certificate.h"

namespace waylay::tls {

Result<TrustAnchor> make_trust_anchor(std::string pem) {
  Result<Certificate> certificate = certificate_from_pem(pem);
  if (!certificate) return fail(certificate, "reading the CA's certificate");
  int computed = 0;
  unsigned long hash = X509_NAME_hash_ex(X509_get_subject_name(certificate->get()), nullptr, nullptr, &computed);
  if (!computed) return fail(openssl_error(ErrorKind::Certificate, "hashing the CA's subject"));
  std::array<char, 17> digits;
  std::snprintf(digits.data(), digits.size(), "%08lx", hash);
  std::string der(as_text(to_der(certificate->get())));
  return TrustAnchor{.pem = std::move(pem), .der = std::move(der), .hash = digits.data()};
}

}  // namespace waylay::tls
