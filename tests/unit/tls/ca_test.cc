#include "tls/ca.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tls/certificate.h"
#include "tls/name_constraints.h"
#include "unit/tls/support.h"

namespace waylay::tls::testing {
namespace {

std::string key_pem(EVP_PKEY* key, const EVP_CIPHER* cipher = nullptr) {
  Handle<BIO, BIO_free_all> bio(BIO_new(BIO_s_mem()));
  const char* passphrase = cipher == nullptr ? nullptr : "secret";
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, cipher, passphrase, passphrase == nullptr ? 0 : 6, nullptr, nullptr);
  const char* data = nullptr;
  long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

std::string refusal(const std::string& certificate, const std::string& key) {
  Result<CertificateAuthority> ca = CertificateAuthority::load(certificate, key);
  if (ca) return "";
  EXPECT_EQ(ca.error().kind, ErrorKind::Invalid);
  return ca.error().message;
}

TEST(CertificateAuthority, MadeNewIsARootForTenYearsAndMayOnlySign) {
  CertificateAuthority ca = std::move(*CertificateAuthority::make({.host = "build-7"}, now()));
  X509* certificate = ca.certificate();
  CertificateSummary summary = summarize(certificate);
  EXPECT_EQ(summary.subject.find("CN=Waylay CA build-7 "), 0U) << summary.subject;
  EXPECT_EQ(summary.subject, summary.issuer);
  EXPECT_EQ(summary.key, "EC P-256");
  EXPECT_EQ(X509_check_ca(certificate), 1);
  EXPECT_EQ(X509_get_pathlen(certificate), 0);
  EXPECT_EQ(X509_get_key_usage(certificate), static_cast<uint32_t>(KU_KEY_CERT_SIGN | KU_CRL_SIGN));
  EXPECT_NE(X509_get0_subject_key_id(certificate), nullptr);
  EXPECT_GT(summary.not_after_s, now().wall_ns / kSecond_ns + 3'650 * kDay_s);
  EXPECT_EQ(X509_verify(certificate, X509_get0_pubkey(certificate)), 1);
}

TEST(CertificateAuthority, OfTwoInstallationsHaveDifferentNames) {
  CertificateAuthority one = std::move(*CertificateAuthority::make({.host = "h"}, now()));
  CertificateAuthority two = std::move(*CertificateAuthority::make({.host = "h"}, now()));
  EXPECT_NE(summarize(one.certificate()).subject, summarize(two.certificate()).subject);
}

TEST(CertificateAuthority, FitsALongHostIntoItsName) {
  CertificateAuthority ca = std::move(*CertificateAuthority::make({.host = std::string(200, 'h')}, now()));
  EXPECT_EQ(summarize(ca.certificate()).subject.size(), 64 + std::string("CN=").size());
}

TEST(CertificateAuthority, LoadsWhatItWrote) {
  CertificateAuthority made = std::move(*CertificateAuthority::make({.host = "h"}, now()));
  Result<CertificateAuthority> loaded = CertificateAuthority::load(*made.certificate_pem(), *made.private_key_pem());
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(fingerprint_of(loaded->certificate()), fingerprint_of(made.certificate()));
}

TEST(CertificateAuthority, RefusesWhatIsNotAPairOfCaAndKey) {
  Identity root = make_root("root"), other = make_root("other");
  Identity leaf = issue({.names = {"DNS:a.example"}}, &root);
  Identity weak = issue({.is_ca = true, .rsa_bits = 1024}, nullptr);
  std::string good = key_pem(root.key.get());
  EXPECT_EQ(refusal(pem_of(root), good), "");
  EXPECT_NE(refusal(pem_of(root), key_pem(other.key.get())).find("does not belong"), std::string::npos);
  EXPECT_NE(refusal(pem_of(leaf), key_pem(leaf.key.get())).find("not a CA's"), std::string::npos);
  EXPECT_NE(refusal(pem_of(weak), key_pem(weak.key.get())).find("2,048"), std::string::npos);
  EXPECT_NE(refusal("nonsense", good).find("certificate"), std::string::npos);
  EXPECT_NE(refusal(pem_of(root), "nonsense").find("private key"), std::string::npos);
  EXPECT_NE(refusal(pem_of(root), key_pem(root.key.get(), EVP_aes_128_cbc())).find("passphrase"), std::string::npos);
}

TEST(CertificateAuthority, SignsSoThatItsKeyVerifies) {
  CertificateAuthority ca = std::move(*CertificateAuthority::make({.host = "h"}, now()));
  std::vector<std::byte> signature = *ca.sign(as_bytes("to be signed"));
  Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  auto verify = [&](Bytes signed_bytes) {
    EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, X509_get0_pubkey(ca.certificate()));
    return EVP_DigestVerify(context.get(), as_u8(signature), signature.size(), as_u8(signed_bytes),
                            signed_bytes.size());
  };
  EXPECT_EQ(verify(as_bytes("to be signed")), 1);
  EXPECT_NE(verify(as_bytes("to be signee")), 1);
}

TEST(CertificateAuthority, RefusesNameConstraintsThatAreNone) {
  for (const char* name : {"", "a b", "10.0.0.0/33", "10.0.0/8", "a.example/8", "10.0.0.0/", "*.example"}) {
    EXPECT_FALSE(CertificateAuthority::make({.host = "h", .permitted_names = {name}}, now())) << name;
  }
}

TEST(NameConstraints, ReadFromACertificateAreThoseWritten) {
  CertificateAuthority ca = std::move(*CertificateAuthority::make(
      {.host = "h", .permitted_names = {"example.org", "10.0.0.0/12", "2001:db8::/33"}}, now()));
  NameConstraints constraints = NameConstraints::of(ca.certificate());
  for (const char* name :
       {"example.org", "a.example.org", "A.B.Example.Org", "*.example.org", "10.15.0.1", "2001:db8:7fff::1"}) {
    EXPECT_TRUE(constraints.allows(name)) << name;
  }
  for (const char* name : {"example.com", "anexample.org", "org", "10.16.0.1", "192.0.2.1", "2001:db8:8000::1"}) {
    EXPECT_FALSE(constraints.allows(name)) << name;
  }
}

TEST(NameConstraints, OfOneKindExcludeTheOther) {
  NameConstraints names = *NameConstraints::permitting({"example.org"});
  EXPECT_TRUE(names.allows("example.org"));
  EXPECT_FALSE(names.allows("192.0.2.1"));
  EXPECT_FALSE(names.allows("::1"));
  NameConstraints addresses = *NameConstraints::permitting({"192.0.2.1"});
  EXPECT_TRUE(addresses.allows("192.0.2.1"));
  EXPECT_FALSE(addresses.allows("192.0.2.2"));
  EXPECT_FALSE(addresses.allows("example.org"));
  EXPECT_TRUE(NameConstraints().allows("anything.example"));
}

TEST(Certificate, IsReadFromPemAndSummarized) {
  Identity root = make_root("Root");
  Identity identity =
      issue({.common_name = "service", .names = {"DNS:a.example", "IP:2001:db8::1"}, .rsa_bits = 2048}, &root);
  Certificate certificate = std::move(*certificate_from_pem(pem_of(identity)));
  CertificateSummary summary = summarize(certificate.get());
  EXPECT_EQ(summary.subject, "CN=service");
  EXPECT_EQ(summary.issuer, "CN=Root");
  EXPECT_EQ(summary.names, (std::vector<std::string>{"a.example", "2001:db8::1"}));
  EXPECT_EQ(summary.key, "RSA 2048");
  EXPECT_EQ(summary.fingerprint, to_hex(fingerprint_of(identity.certificate.get())));
  EXPECT_LT(summary.not_before_s, summary.not_after_s);
  EXPECT_FALSE(certificate_from_pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
  EXPECT_EQ(fingerprint_of(nullptr), Fingerprint{});
}

}  // namespace
}  // namespace waylay::tls::testing
