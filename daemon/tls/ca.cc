#include "tls/ca.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "tls/certificate.h"
#include "tls/name_constraints.h"
#include "tls/x509_builder.h"

namespace waylay::tls {
namespace {

using MemoryBio = Handle<BIO, BIO_free_all>;
using SigningContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;

constexpr int64_t kLifetime_s = 3652 * kDay_s;  // ten years
constexpr size_t kMaxCommonName = 64;           // RFC 5280 appendix A.1, ub-common-name
constexpr int kMinRsaBits = 2048;
constexpr int kX509Version3 = 2;

// The id tells the CAs of two installations on hosts of one name apart, in the lists of trust stores.
Result<std::string> common_name(std::string_view host) {
  std::byte id[4];
  if (RAND_bytes(reinterpret_cast<unsigned char*>(id), sizeof id) != 1) {
    return fail(openssl_error(ErrorKind::Unavailable, "making a CA"));
  }
  std::string prefix = "Waylay CA ";
  std::string suffix = " " + to_hex(id);
  return prefix + std::string(host.substr(0, kMaxCommonName - prefix.size() - suffix.size())) + suffix;
}

bool fill(X509* ca, EVP_PKEY* key, const std::string& name, const NameConstraints& constraints, int64_t now_s) {
  return X509_set_version(ca, kX509Version3) == 1 && set_random_serial(ca) &&
         set_validity(ca, now_s - 2 * kDay_s, now_s + kLifetime_s) && set_common_name(ca, name) &&
         X509_set_issuer_name(ca, X509_get_subject_name(ca)) == 1 && X509_set_pubkey(ca, key) == 1 &&
         add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
         add_extension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
         add_extension(ca, ca, NID_subject_key_identifier, "hash") && (constraints.empty() || constraints.add_to(ca)) &&
         X509_sign(ca, key, EVP_sha256()) > 0;
}

bool is_good_ca_key(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA")) return EVP_PKEY_get_bits(key) >= kMinRsaBits;
  char group[32] = "";
  return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) == 1 &&
         std::string_view(group) == "prime256v1";
}

}  // namespace

Result<CertificateAuthority> CertificateAuthority::make(const CaOptions& options, Time now) {
  Result<NameConstraints> constraints = NameConstraints::permitting(options.permitted_names);
  if (!constraints) return fail(constraints, "making a CA");
  Result<std::string> name = common_name(options.host);
  if (!name) return fail(name);
  Result<PrivateKey> key = make_p256_key();
  if (!key) return fail(key, "making a CA");
  Certificate certificate(X509_new());
  if (!certificate || !fill(certificate.get(), key->get(), *name, *constraints, now.wall_ns / kSecond_ns)) {
    return fail(openssl_error(ErrorKind::Invalid, "making a CA"));
  }
  return CertificateAuthority(std::move(certificate), std::move(*key));
}

Result<CertificateAuthority> CertificateAuthority::load(std::string_view certificate_pem,
                                                        std::string_view private_key_pem) {
  Result<Certificate> certificate = certificate_from_pem(certificate_pem);
  if (!certificate) return fail(certificate, "the CA's certificate");
  Result<PrivateKey> key = private_key_from_pem(private_key_pem);
  if (!key) return fail(key, "the CA's key");
  auto invalid = [](std::string_view reason) { return fail(Error::local(ErrorKind::Invalid, std::string(reason))); };
  if (X509_check_private_key(certificate->get(), key->get()) != 1) {
    openssl_error(ErrorKind::Invalid, "");  // empties the queue
    return invalid("the CA's private key does not belong to its certificate");
  }
  if (X509_check_ca(certificate->get()) != 1 || (X509_get_key_usage(certificate->get()) & KU_KEY_CERT_SIGN) == 0) {
    return invalid("the certificate is not a CA's: it may not sign certificates");
  }
  if (!is_good_ca_key(key->get())) return invalid("the CA's key is neither P-256 nor RSA of 2,048 bits or more");
  return CertificateAuthority(std::move(*certificate), std::move(*key));
}

Result<std::string> CertificateAuthority::certificate_pem() const {
  return to_pem(certificate_.get());
}

Result<std::string> CertificateAuthority::private_key_pem() const {
  MemoryBio bio(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return fail(openssl_error(ErrorKind::Invalid, "writing the CA's private key as PEM"));
  }
  const char* data = nullptr;
  long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

Result<std::vector<std::byte>> CertificateAuthority::sign(Bytes tbs) const {
  SigningContext context(EVP_MD_CTX_new());
  size_t size = 0;
  std::vector<std::byte> signature;
  bool ready = context && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
               EVP_DigestSign(context.get(), nullptr, &size, as_u8(tbs), tbs.size()) == 1;
  signature.resize(size);
  auto* out = reinterpret_cast<unsigned char*>(signature.data());
  if (!ready || EVP_DigestSign(context.get(), out, &size, as_u8(tbs), tbs.size()) != 1) {
    return fail(openssl_error(ErrorKind::Unavailable, "signing with the CA's key"));
  }
  signature.resize(size);
  return signature;
}

}  // namespace waylay::tls
