#include "warden/java_truststore.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "tls/ca.h"
#include "tls/certificate.h"
#include "warden/trust_anchor.h"

namespace waylay::warden {
namespace {

tls::CertificateAuthority new_authority() {
  return std::move(*tls::CertificateAuthority::make({.host = "test"}, now()));
}

TrustAnchor anchor() {
  return *make_trust_anchor(*new_authority().certificate_pem());
}

size_t count_of(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t found = text.find(part); found != std::string_view::npos; found = text.find(part, found + 1)) ++count;
  return count;
}

TEST(JavaTruststore, GetsOneEntryMore) {
  TrustAnchor theirs = anchor(), ours = anchor();
  std::string original = *truststore_of_bundle(theirs.pem + theirs.pem);
  ASSERT_TRUE(is_java_truststore(original));
  Result<std::string> merged = merge_truststore(original, ours.der);
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_TRUE(is_java_truststore(*merged));
  EXPECT_EQ(count_of(*merged, theirs.der), 2u);
  EXPECT_EQ(count_of(*merged, ours.der), 1u);
  EXPECT_EQ(merged->at(11), 3) << "the number of entries";
  EXPECT_EQ(*merge_truststore(*merged, ours.der), "") << "it is there already";
}

TEST(JavaTruststore, IsLeftAloneWhenItsPasswordIsNotTheUsualOne) {
  std::string original = *truststore_of_bundle(anchor().pem);
  original.back() = static_cast<char>(original.back() ^ 1);
  Result<std::string> merged = merge_truststore(original, anchor().der);
  ASSERT_FALSE(merged);
  EXPECT_NE(merged.error().message.find("password"), std::string::npos);
}

TEST(JavaTruststore, IsNoOtherFile) {
  EXPECT_FALSE(is_java_truststore(""));
  EXPECT_FALSE(is_java_truststore("-----BEGIN CERTIFICATE-----\n"));
  EXPECT_FALSE(is_java_truststore("\xfe\xed\xfe\xed"));
  std::string sequence = "\x30\x82" + std::string(100, 'x');
  ASSERT_TRUE(is_java_truststore(sequence)) << "it may be PKCS #12";
  EXPECT_FALSE(merge_truststore(sequence, anchor().der)) << "but is not";
}

TEST(JavaTruststore, CutShortAnywhereIsRefusedOrNoTruststore) {
  std::string original = *truststore_of_bundle(anchor().pem);
  std::string ours = anchor().der;
  for (size_t size = 0; size < original.size(); ++size) {
    std::string_view cut = std::string_view(original).substr(0, size);
    EXPECT_FALSE(is_java_truststore(cut) && merge_truststore(cut, ours)) << size;
  }
}

TEST(TrustAnchor, HasTheHashThatOpensslLooksUp) {
  // openssl x509 -hash of a certificate whose subject is CN=waylay hash test.
  constexpr const char* kPem = R"(-----BEGIN CERTIFICATE-----
MIIBjDCCATOgAwIBAgIUJEh8L2gHecqvC9Y5Zf/ESYN6fQYwCgYIKoZIzj0EAwIw
GzEZMBcGA1UEAwwQd2F5bGF5IGhhc2ggdGVzdDAgFw0yNjExMjIxMDQ2MjNaGA8y
MTI2MTAyOTEwNDYyM1owGzEZMBcGA1UEAwwQd2F5bGF5IGhhc2ggdGVzdDBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABF0E6CmH3de0YFgvTXryckDZeBHYCf8/AJI0
tOubxgJxjUh+YF0J550HMVd4Knp2qeE7wT+TxAd4F6aWCkPNfDyjUzBRMB0GA1Ud
DgQWBBQ4Z7iBiETLXLDkbPTnn1CnuWDcNDAfBgNVHSMEGDAWgBQ4Z7iBiETLXLDk
bPTnn1CnuWDcNDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIF1e
yVkKbOGFS/U854nb5vanVOGL2boG5CQX8obfHHaMAiAuWZYWaedJpFllZY7/5+0H
8FFe76BM2om1+1tCv1C+iA==
-----END CERTIFICATE-----
)";
  Result<TrustAnchor> made = make_trust_anchor(kPem);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->hash, "e35671ac");
  EXPECT_FALSE(make_trust_anchor("nothing"));
}

}  // namespace
}  // namespace waylay::warden
