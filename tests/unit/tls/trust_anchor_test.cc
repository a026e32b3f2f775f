#include "tls/trust_anchor.h"

#include <gtest/gtest.h>

namespace waylay::tls {
namespace {

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
}  // namespace waylay::tls
