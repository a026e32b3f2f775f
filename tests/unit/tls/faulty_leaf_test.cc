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

TEST_F(FaultyLeaf, ASelfSignedOneIsRightButForItsIssuer) {
  std::shared_ptr<const Leaf> leaf = make(LeafFault::SelfSigned);
  EXPECT_EQ(X509_check_host(leaf->certificate.get(), "origin.test", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_self_signed(leaf->certificate.get(), 1), 1);
  EXPECT_NE(X509_verify(leaf->certificate.get(), X509_get0_pubkey(ca.certificate())), 1);
}

}  // namespace
}  // namespace waylay::tls
