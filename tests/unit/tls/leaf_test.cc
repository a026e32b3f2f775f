#include "tls/leaf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include <thread>

#include "tls/certificate.h"
#include "unit/tls/support.h"

namespace waylay::tls::testing {
namespace {

using ::testing::ElementsAre;

Time at_s(int64_t wall_s) {
  return {.steady_ns = 0, .wall_ns = wall_s * kSecond_ns};
}
int64_t now_s() {
  return now().wall_ns / kSecond_ns;
}

// Strict verification, from another copy of the CA, for this host; empty: good.
std::string problem_with(X509* leaf, const std::string& ca_pem, const std::string& host) {
  Certificate root = std::move(*certificate_from_pem(ca_pem));
  Handle<X509_STORE, X509_STORE_free> store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), root.get());
  Handle<X509_STORE_CTX, X509_STORE_CTX_free> verification(X509_STORE_CTX_new());
  X509_STORE_CTX_init(verification.get(), store.get(), leaf, nullptr);
  X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(verification.get());
  X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
  X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
  X509_VERIFY_PARAM_set_auth_level(param, 2);
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (host.find_first_not_of("0123456789.:abcdef") == std::string::npos) {
    X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str());
  } else {
    X509_VERIFY_PARAM_set1_host(param, host.data(), host.size());
  }
  if (X509_verify_cert(verification.get()) == 1) return "";
  return X509_verify_cert_error_string(X509_STORE_CTX_get_error(verification.get()));
}

// What a client decodes, and whether encoding that again gives the same bytes.
Certificate decoded(const Leaf& leaf) {
  std::vector<std::byte> der = to_der(leaf.certificate.get());
  const unsigned char* in = as_u8(der);
  Certificate copy(d2i_X509(nullptr, &in, static_cast<long>(der.size())));
  EXPECT_TRUE(copy);
  unsigned char* tbs = nullptr;
  EXPECT_GT(i2d_re_X509_tbs(copy.get(), &tbs), 0);  // throws the received encoding away
  OPENSSL_free(tbs);
  EXPECT_EQ(to_der(copy.get()), der);
  return copy;
}

class LeafTest : public ::testing::Test {
 protected:
  ClientSide side_;
};

TEST_F(LeafTest, FromAHostNameVerifiesStrictly) {
  std::shared_ptr<const Leaf> leaf = side_.leaf("www.example.org");
  Certificate copy = decoded(*leaf);
  EXPECT_EQ(problem_with(copy.get(), side_.ca_pem, "www.example.org"), "");
  EXPECT_NE(problem_with(copy.get(), side_.ca_pem, "example.org"), "");
  EXPECT_EQ(summarize(copy.get()).subject, "CN=www.example.org");
  EXPECT_EQ(leaf->fingerprint, fingerprint_of(copy.get()));
}

TEST_F(LeafTest, FromAnAddressVerifiesStrictly) {
  for (const char* address : {"192.0.2.1", "2001:db8::1"}) {
    Certificate copy = decoded(*side_.leaf(address));
    EXPECT_EQ(problem_with(copy.get(), side_.ca_pem, address), "");
    EXPECT_THAT(summarize(copy.get()).names, ElementsAre(address));
  }
}

TEST_F(LeafTest, WithAnRsaKeyVerifiesStrictly) {
  side_.minter->make_rsa_key_in_background();
  std::shared_ptr<const Leaf> first = side_.leaf("www.example.org", nullptr, LeafKey::Rsa2048);
  std::shared_ptr<const Leaf> second = side_.leaf("api.example.org", nullptr, LeafKey::Rsa2048);
  EXPECT_EQ(problem_with(decoded(*first).get(), side_.ca_pem, "www.example.org"), "");
  EXPECT_TRUE(EVP_PKEY_is_a(X509_get0_pubkey(first->certificate.get()), "RSA"));
  EXPECT_EQ(EVP_PKEY_get_bits(first->key.get()), 2048);
  EXPECT_EQ(first->key.get(), second->key.get()) << "one key per run, not one per name";
  EXPECT_EQ(X509_check_private_key(first->certificate.get(), first->key.get()), 1);
}

TEST_F(LeafTest, FromANameTooLongForACommonNameVerifiesStrictly) {
  std::string name = std::string(60, 'a') + ".example.org";
  Certificate copy = decoded(*side_.leaf(name));
  EXPECT_EQ(summarize(copy.get()).subject, "");
  EXPECT_EQ(problem_with(copy.get(), side_.ca_pem, name), "");
}

TEST_F(LeafTest, HasTheExtensionsOfATlsServer) {
  Certificate copy = decoded(*side_.example);
  X509* leaf = copy.get();
  EXPECT_EQ(X509_get_key_usage(leaf), static_cast<uint32_t>(KU_DIGITAL_SIGNATURE));
  EXPECT_EQ(X509_get_extended_key_usage(leaf), static_cast<uint32_t>(XKU_SSL_SERVER));
  EXPECT_EQ(X509_check_ca(leaf), 0);
  ASSERT_NE(X509_get0_authority_key_id(leaf), nullptr);
  EXPECT_EQ(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(leaf), X509_get0_subject_key_id(side_.ca.certificate())),
            0);
  EXPECT_NE(X509_get0_subject_key_id(leaf), nullptr);
  EXPECT_EQ(X509_get_version(leaf), 2);
  EXPECT_EQ(summarize(leaf).key, "EC P-256");
}

TEST_F(LeafTest, HasASerialOfItsOwn) {
  std::string first = summarize(side_.example->certificate.get()).serial;
  std::string second = summarize(side_.leaf("example.org")->certificate.get()).serial;
  EXPECT_EQ(first.size(), 32U);
  EXPECT_NE(first, second);
}

TEST_F(LeafTest, IsValidFromTwoDaysAgoForSevenDays) {
  Result<UnsignedLeaf> prepared = side_.minter->prepare({"example.org"}, at_s(1'800'000'000));
  std::shared_ptr<const Leaf> leaf = *side_.minter->finish(std::move(*prepared), *side_.ca.sign(prepared->tbs()));
  EXPECT_EQ(leaf->not_before_s, 1'800'000'000 - 2 * kDay_s);
  EXPECT_EQ(leaf->not_after_s, 1'800'000'000 + 7 * kDay_s);
}

TEST_F(LeafTest, NeverOutlivesTheMirroredOne) {
  Identity soon = issue({.names = {"DNS:example.org"}, .until_days = 3}, nullptr);
  EXPECT_EQ(side_.leaf("example.org", soon.certificate.get())->not_after_s, not_after_s(soon.certificate.get()));
  Identity later = issue({.names = {"DNS:example.org"}, .until_days = 300}, nullptr);
  EXPECT_LE(side_.leaf("example.org", later.certificate.get())->not_after_s, now_s() + 7 * kDay_s);
}

TEST_F(LeafTest, MirrorsNamesInOrderAndTheCommonName) {
  Identity upstream =
      issue({.common_name = "Example Service",
             .names = {"DNS:b.example", "DNS:*.a.example", "IP:192.0.2.7", "email:x@a.example", "URI:https://a/"}},
            nullptr);
  Certificate copy = decoded(*side_.leaf("b.example", upstream.certificate.get()));
  EXPECT_THAT(summarize(copy.get()).names, ElementsAre("b.example", "*.a.example", "192.0.2.7"));
  EXPECT_EQ(summarize(copy.get()).subject, "CN=Example Service");
  EXPECT_EQ(problem_with(copy.get(), side_.ca_pem, "b.example"), "");
  EXPECT_EQ(problem_with(copy.get(), side_.ca_pem, "x.a.example"), "");
  EXPECT_EQ(problem_with(copy.get(), side_.ca_pem, "192.0.2.7"), "");
}

TEST_F(LeafTest, AddsTheAskedNameOnlyWhereTheUpstreamIsValidForIt) {
  Identity upstream = issue({.names = {"DNS:*.a.example"}}, nullptr);
  EXPECT_THAT(summarize(side_.leaf("x.a.example", upstream.certificate.get())->certificate.get()).names,
              ElementsAre("*.a.example", "x.a.example"));
  EXPECT_THAT(summarize(side_.leaf("elsewhere.example", upstream.certificate.get())->certificate.get()).names,
              ElementsAre("*.a.example"));
}

TEST_F(LeafTest, KeepsTheAskedNameAmongTooMany) {
  CertificateSpec spec;
  for (int i = 0; i < 300; ++i) spec.names.push_back("DNS:n" + std::to_string(i) + ".example");
  Identity upstream = issue(spec, nullptr);
  Certificate copy = decoded(*side_.leaf("n299.example", upstream.certificate.get()));
  EXPECT_EQ(subject_alternative_names(copy.get(), 1000).size(), 200U);
  EXPECT_EQ(problem_with(copy.get(), side_.ca_pem, "n299.example"), "");
  EXPECT_EQ(problem_with(copy.get(), side_.ca_pem, "n0.example"), "");
}

TEST_F(LeafTest, IsNotMadeForWhatIsNoName) {
  for (const char* name : {"", "a b", "*.example", "a,b", "a..b"})
    EXPECT_FALSE(side_.minter->prepare({name}, now())) << name;
  Identity nameless = issue({.common_name = "example.org"}, nullptr);
  EXPECT_FALSE(side_.minter->prepare({"example.org", nameless.certificate.get()}, now()));
}

TEST_F(LeafTest, NeedsASignature) {
  EXPECT_FALSE(side_.minter->finish(std::move(*side_.minter->prepare({"example.org"}, now())), {}));
}

TEST_F(LeafTest, FromAConfinedCaIsForPermittedNamesOnly) {
  CertificateAuthority ca =
      std::move(*CertificateAuthority::make({.host = "h", .permitted_names = {"example.org", "10.0.0.0/8"}}, now()));
  std::string ca_pem = *ca.certificate_pem();
  std::unique_ptr<LeafMinter> minter = std::move(*LeafMinter::create(ca_pem));
  Identity upstream =
      issue({.names = {"DNS:a.example.org", "DNS:other.example", "IP:10.1.2.3", "IP:192.0.2.1"}}, nullptr);
  for (const char* name : {"a.example.org", "10.1.2.3"}) {
    for (X509* mirror : {static_cast<X509*>(nullptr), upstream.certificate.get()}) {
      Result<UnsignedLeaf> prepared = minter->prepare({name, mirror}, now());
      ASSERT_TRUE(prepared) << prepared.error().message;
      std::shared_ptr<const Leaf> leaf = *minter->finish(std::move(*prepared), *ca.sign(prepared->tbs()));
      EXPECT_EQ(problem_with(leaf->certificate.get(), ca_pem, name), "") << name;
    }
  }
  for (const char* name : {"other.example", "badexample.org", "192.0.2.1", "::1"}) {
    Result<UnsignedLeaf> prepared = minter->prepare({name}, now());
    ASSERT_FALSE(prepared) << name;
    EXPECT_EQ(prepared.error().kind, ErrorKind::Permission);
  }
}

TEST_F(LeafTest, IsPreparedByManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        std::string name = "t" + std::to_string(t) + "-" + std::to_string(i) + ".example";
        good += summarize(side_.leaf(name)->certificate.get()).names == std::vector{name} ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 80);
}

class LeafCacheTest : public LeafTest {
 protected:
  static Fingerprint mirror(int number) {
    Fingerprint fingerprint{};
    fingerprint[0] = static_cast<std::byte>(number);
    return fingerprint;
  }
};

TEST_F(LeafCacheTest, FindsByNameAndMirroredCertificate) {
  LeafCache cache;
  std::shared_ptr<const Leaf> leaf = side_.leaf("a.example");
  EXPECT_EQ(cache.find("a.example", mirror(1), LeafKey::P256, now()), nullptr);
  EXPECT_EQ(cache.insert(leaf, mirror(1), now()), leaf);
  EXPECT_EQ(cache.find("A.example", mirror(1), LeafKey::P256, now()), leaf);
  EXPECT_EQ(cache.find("a.example", mirror(2), LeafKey::P256, now()), nullptr);
  EXPECT_EQ(cache.find("b.example", mirror(1), LeafKey::P256, now()), nullptr);
}

TEST_F(LeafCacheTest, KeepsLeavesWithDifferentKeysApart) {
  LeafCache cache;
  std::shared_ptr<const Leaf> p256 = cache.insert(side_.leaf("a.example"), mirror(1), now());
  std::shared_ptr<const Leaf> rsa = cache.insert(side_.leaf("a.example", nullptr, LeafKey::Rsa2048), mirror(1), now());
  EXPECT_NE(p256, rsa);
  EXPECT_EQ(cache.find("a.example", mirror(1), LeafKey::P256, now()), p256);
  EXPECT_EQ(cache.find("a.example", mirror(1), LeafKey::Rsa2048, now()), rsa);
}

TEST_F(LeafCacheTest, TheFirstOfTwoWorkersWins) {
  LeafCache cache;
  std::shared_ptr<const Leaf> first = side_.leaf("a.example"), second = side_.leaf("a.example");
  cache.insert(first, mirror(1), now());
  EXPECT_EQ(cache.insert(second, mirror(1), now()), first);
  EXPECT_EQ(cache.size(), 1U);
}

TEST_F(LeafCacheTest, ForgetsTheLeastRecentlyUsed) {
  LeafCache cache(2);
  cache.insert(side_.leaf("a.example"), mirror(1), now());
  cache.insert(side_.leaf("b.example"), mirror(1), now());
  EXPECT_NE(cache.find("a.example", mirror(1), LeafKey::P256, now()), nullptr);
  cache.insert(side_.leaf("c.example"), mirror(1), now());
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_EQ(cache.find("b.example", mirror(1), LeafKey::P256, now()), nullptr);
  EXPECT_NE(cache.find("a.example", mirror(1), LeafKey::P256, now()), nullptr);
}

TEST_F(LeafCacheTest, ForgetsADayBeforeTheLeafEnds) {
  LeafCache cache;
  std::shared_ptr<const Leaf> leaf = side_.leaf("a.example");
  cache.insert(leaf, mirror(1), now());
  EXPECT_NE(cache.find("a.example", mirror(1), LeafKey::P256, at_s(leaf->not_after_s - kDay_s - 1)), nullptr);
  EXPECT_EQ(cache.find("a.example", mirror(1), LeafKey::P256, at_s(leaf->not_after_s - kDay_s)), nullptr);
  EXPECT_EQ(cache.size(), 0U);
}

TEST_F(LeafCacheTest, KeepsALeafThatEndsSoonForHalfItsTime) {
  LeafCache cache;
  Identity upstream = issue({.names = {"DNS:a.example"}, .until_days = 1}, nullptr);
  cache.insert(side_.leaf("a.example", upstream.certificate.get()), mirror(1), now());
  EXPECT_NE(cache.find("a.example", mirror(1), LeafKey::P256, at_s(now_s() + kDay_s / 4)), nullptr);
  EXPECT_EQ(cache.find("a.example", mirror(1), LeafKey::P256, at_s(now_s() + kDay_s * 3 / 4)), nullptr);
}

}  // namespace
}  // namespace waylay::tls::testing
