// Any bytes as the certificate of an upstream: what is shown of it, and the leaf that mirrors it. A leaf that comes of
// it is for the asked name, signed by us and not valid for longer than a leaf may be.
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "tls/ca.h"
#include "tls/certificate.h"
#include "tls/leaf.h"
#include "tls/name_constraints.h"

using namespace waylay;

namespace {

constexpr int64_t kLongest_s = int64_t{7} * 24 * 60 * 60;

struct World {
  tls::CertificateAuthority ca = std::move(*tls::CertificateAuthority::make({.host = "fuzz"}, now()));
  std::unique_ptr<tls::LeafMinter> minter = std::move(*tls::LeafMinter::create(*ca.certificate_pem()));
};

void look_at(X509* certificate) {
  tls::CertificateSummary summary = tls::summarize(certificate);
  CHECK(summary.names.size() <= 200);
  CHECK(summary.fingerprint.size() == 64);
  tls::NameConstraints constraints = tls::NameConstraints::of(certificate);
  for (std::string_view name : {"a.example.org", "*.example.org", "192.0.2.1", "2001:db8::1", ""}) {
    bool allowed = constraints.allows(name);
    CHECK(allowed || !constraints.empty());
  }
  Result<std::string> pem = tls::to_pem(certificate);
  CHECK(pem);
  Result<tls::Certificate> again = tls::certificate_from_pem(*pem);
  CHECK(again && tls::fingerprint_of(again->get()) == tls::fingerprint_of(certificate));
}

void mirror(const World& world, X509* certificate, const std::string& name, Time time) {
  Result<tls::UnsignedLeaf> prepared = world.minter->prepare({.name = name, .mirror = certificate}, time);
  if (!prepared) return;
  Result<std::vector<std::byte>> signature = world.ca.sign(prepared->tbs());
  CHECK(signature);
  Result<std::shared_ptr<const tls::Leaf>> leaf = world.minter->finish(std::move(*prepared), *signature);
  CHECK(leaf);
  CHECK((*leaf)->name == name && (*leaf)->not_after_s <= time.wall_ns / kSecond_ns + kLongest_s);
  CHECK((*leaf)->not_after_s <= tls::not_after_s(certificate));
  CHECK(X509_verify((*leaf)->certificate.get(), X509_get0_pubkey(world.ca.certificate())) == 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const World world;
  const unsigned char* position = data;
  tls::Certificate certificate(d2i_X509(nullptr, &position, static_cast<long>(size)));
  if (!certificate) return 0;
  look_at(certificate.get());
  Time time = now();
  for (const char* name : {"example.org", "a.example.org", "192.0.2.1"}) mirror(world, certificate.get(), name, time);
  return 0;
}
