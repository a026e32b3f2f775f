#include "tls/faulty_leaf.h"

#include <gtest/gtest.h>
#include <openssl/x509v3.h>

#include "tls/ca.h"

namespace waylay::tls {
namespace {

struct FaultyLeaf : testing::Test {
  Time time = waylay::now();
  CertificateAuthority ca = CertificateAuthority::make({"test", {}}, time).value();
  std::unique_ptr<LeafMinter> minter = LeafMinter::create(ca.certificate_pem().value()).value();

  std::shared_ptr<const Leaf> make(LeafFault fault) {
    UnsignedLeaf leaf = prepare_faulty(*minter, {"origin.test", nullptr}, fault, time).value();
    std::vector<std::byte> signature = ca.sign(leaf.tbs()).value();
    return finish_faulty(minter->finish(std::move(leaf), signature).value(), fault).value();
  }
};

TEST_F(FaultyLeaf, AnExpiredOneIsRightButForItsDates) {
  std::shared_ptr<const Leaf> leaf = make(LeafFault::Expired);
  EXPECT_LT(leaf->not_after_s, time.wall_ns / kSecond_ns);
  EXPECT_EQ(X509_check_host(leaf->certificate.get(), "origin.test", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_verify(leaf->certificate.get(), X509_get0_pubkey(ca.certificate())), 1);
}

TEST_F(FaultyLeaf, OneForAWrongHostIsRightButForItsName) {
  std::shared_ptr<const Leaf> leaf = make(LeafFault::WrongHost);
  EXPECT_NE(X509_check_host(leaf->certificate.get(), "origin.test", 0, 0, nullptr), 1);
  EXPECT_GT(leaf->not_after_s, time.wall_ns / kSecond_ns);
  EXPECT_EQ(X509_verify(leaf->certificate.get(), X509_get0_pubkey(ca.certificate())), 1);
}

// A CA that may not speak for the usual wrong name speaks for another wrong one.
TEST(ConstrainedFaultyLeaf, ForAWrongHostIsForANeighbour) {
  Time time = waylay::now();
  CertificateAuthority ca =
      CertificateAuthority::make({"test", {"origin.test", "192.0.2.0/24", "2001:db8::/32"}}, time).value();
  std::unique_ptr<LeafMinter> minter = LeafMinter::create(ca.certificate_pem().value()).value();
  for (const char* name : {"origin.test", "a.origin.test", "192.0.2.7", "2001:db8::7"}) {
    Result<UnsignedLeaf> leaf = prepare_faulty(*minter, {name}, LeafFault::WrongHost, time);
    ASSERT_TRUE(leaf) << name << ": " << leaf.error().message;
    Handle<X509_STORE, X509_STORE_free> store(X509_STORE_new());
    X509_STORE_add_cert(store.get(), ca.certificate());
    std::vector<std::byte> signature = ca.sign(leaf->tbs()).value();
    std::shared_ptr<const Leaf> made = minter->finish(std::move(*leaf), signature).value();
    Handle<X509_STORE_CTX, X509_STORE_CTX_free> verification(X509_STORE_CTX_new());
    X509_STORE_CTX_init(verification.get(), store.get(), made->certificate.get(), nullptr);
    EXPECT_EQ(X509_verify_cert(verification.get()), 1) << name << ": its name must be the only thing that is wrong";
    EXPECT_NE(X509_check_host(made->certificate.get(), name, 0, 0, nullptr), 1) << name;
    EXPECT_NE(X509_check_ip_asc(made->certificate.get(), name, 0), 1) << name;
  }
}

TEST_F(FaultyLeaf, ASelfSignedOneIsRightButForItsIssuer) {
  std::shared_ptr<const Leaf> leaf = make(LeafFault::SelfSigned);
  EXPECT_EQ(X509_check_host(leaf->certificate.get(), "origin.test", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_self_signed(leaf->certificate.get(), 1), 1);
  EXPECT_NE(X509_verify(leaf->certificate.get(), X509_get0_pubkey(ca.certificate())), 1);
}

}  // namespace
}  // namespace waylay::tls
