// Any bytes as a Java truststore in a container, or as the bundle that one is made of. A copy is a truststore again,
// with our certificate in it, and never gets it twice. The input is taken as it is, and with the digest that JKS ends
// with put behind it, which mutations would not find.
#include <openssl/evp.h>

#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "base/clock.h"
#include "tls/ca.h"
#include "tls/java_truststore.h"
#include "tls/trust_anchor.h"

using namespace waylay;

namespace {

const std::string& our_der() {
  static const std::string der = [] {
    tls::CertificateAuthority ca = std::move(*tls::CertificateAuthority::make({.host = "fuzz"}, now()));
    return tls::make_trust_anchor(*ca.certificate_pem())->der;
  }();
  return der;
}

std::string sealed(std::string_view content) {
  std::string said;
  for (char letter : std::string_view("changeit")) said.append(1, '\0').append(1, letter);
  said.append("Mighty Aphrodite").append(content);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  CHECK(EVP_Digest(said.data(), said.size(), digest, &size, EVP_sha1(), nullptr) == 1);
  return std::string(content).append(as_text(as_bytes(digest, size)));
}

// Whether it was taken for a truststore.
bool merge(std::string_view original) {
  if (!tls::is_java_truststore(original)) return false;
  Result<std::string> merged = tls::merge_truststore(original, our_der());
  if (!merged) return false;
  if (merged->empty()) return true;  // it has ours already
  CHECK(tls::is_java_truststore(*merged));
  CHECK(merged->find(our_der()) != std::string::npos);
  CHECK(*tls::merge_truststore(*merged, our_der()) == "");
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = as_text(as_bytes(data, size));
  merge(input);
  constexpr std::string_view kJks("\xfe\xed\xfe\xed\0\0\0\2", 8);
  bool merged = merge(sealed(input));
  CHECK(merged || !input.starts_with(kJks) || input.size() < 12);
  Result<std::string> made = tls::truststore_of_bundle(input);
  CHECK(made && merge(*made));
  return 0;
}
