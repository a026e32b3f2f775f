#include "tls/java_truststore.h"

#include <gtest/gtest.h>
#include <openssl/pkcs12.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "tls/ca.h"
#include "tls/certificate.h"
#include "tls/trust_anchor.h"

namespace waylay::tls {
namespace {

CertificateAuthority new_authority() {
  return std::move(*CertificateAuthority::make({.host = "test"}, now()));
}

TrustAnchor anchor() {
  return *make_trust_anchor(*new_authority().certificate_pem());
}

size_t count_of(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t found = text.find(part); found != std::string_view::npos; found = text.find(part, found + 1)) ++count;
  return count;
}

// By keytool of Java 17, of one certificate: as Java's own store is since 18, and with the usual password.
constexpr const char* kWithoutPassword =
    "MIICBgIBAzCCAf8GCSqGSIb3DQEHAaCCAfAEggHsMIIB6DCCAeQGCSqGSIb3DQEHAaCCAdUEggHRMIIBzTCCAckGCyqGSIb3DQEMCgEDoIIBiz"
    "CCAYcGCiqGSIb3DQEJFgGgggF3BIIBczCCAW8wggEVoAMCAQICFBaasi7xiC80mJblkz7W+Fy1y/sXMAoGCCqGSM49BAMCMAwxCjAIBgNVBAMM"
    "AWEwIBcNMjYxMTIyMTEwMzA3WhgPMjEyNjEwMjkxMTAzMDdaMAwxCjAIBgNVBAMMAWEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQoU9Wirx"
    "f66n2xHYiQGC5qeZtvCj5dfoas8yDI3smGloptRj1RSH1AvoXQOXr8ND5pnc/yzWGB1hS2AOxOBANxo1MwUTAdBgNVHQ4EFgQUQzxmXAdvcdar"
    "+Jc8DD/biL9FKFEwHwYDVR0jBBgwFoAUQzxmXAdvcdar+Jc8DD/biL9FKFEwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBh3/"
    "Ju1dxavHRcUYdV27mBQovv5LO4V2AMQ2RHKT1+AAIhANyZ792OoKSD6NQQ+YkpkfJRvc6Jvj/40wB6yhaqccstMSswEQYJKoZIhvcNAQkUMQQe"
    "AgBhMBYGDGCGSAGG+WatynsBATEGBgRVHSUA";
constexpr const char* kWithPassword =
    "MIIC4gIBAzCCAowGCSqGSIb3DQEHAaCCAn0EggJ5MIICdTCCAnEGCSqGSIb3DQEHBqCCAmIwggJeAgEAMIICVwYJKoZIhvcNAQcBMGYGCSqGSI"
    "b3DQEFDTBZMDgGCSqGSIb3DQEFDDArBBTrbODaWZ97fwJFd8aukRkTrMWkGQICJxACASAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEEGr"
    "DevDz4vtIwlz/rYLgDeAggHgHRJ923cJkPozI/L49BsxJMQAIZnMXun8hg3q2MktAS66CjAZMLUyvRCPSaEkh8JhuyRMnT5uyNoNAytijKpM13"
    "XZX4vdy720g5dICCKdYsqjN6MldUEAeCx4U3qkM+TnmqcXHUpVrL14VMYj/rS/b8wdZ4iCdZOrw70UpcVamvxD4YLDcAfWCkdFm5jgMTvMC+6s"
    "dKSXwsTVoJskuZFR8jfjVM9TmgTYKrVzWkCFnu0wOnwGvkK+y6AOGTqPoGzIxh9uhwkfnYUyVnE61bmlvoAnCLGLP8IIXXKFyYWVWNQYQ+TePd"
    "RfcoxAQW8ZQ3fTU+VAKwg7tMv/LTjhHSfLLatBuUL3yeDbsovRvC//wXkTLsO1y2GvkRu4WMzy0QmbPMJhNE9FGb6K4IOH51F73HwbULFG6Vcs"
    "6cNeJUcXSFr16if6Uez+gSSD2mwOwbFLF6LIGVQeSCmd393fE2ILst1sdKWUyui/6a8V6FpcAaNczD/IALxFFo8SN+luBo8u4JxW6vAB6oOjsE"
    "039SM3Ly6AnRwBb+zsUuEL5Ntyc6q6gLItWCx69LfgX5Y3FEBV9RG4+ewhxubtq/MLmkeTOCFlHE8jt2CB/ef7F05+w3BCrFwDk9KvLSmFHHzm"
    "ftwhME0wMTANBglghkgBZQMEAgEFAAQgQKck4cEkDqOzcdUWkL8KUe99/CfYej5YJxZplkHQzYYEFOx+6ETK5H3gx74sMcH9PGqtO0u7AgInEA"
    "==";
constexpr const char* kWithAnother =
    "MIIC4gIBAzCCAowGCSqGSIb3DQEHAaCCAn0EggJ5MIICdTCCAnEGCSqGSIb3DQEHBqCCAmIwggJeAgEAMIICVwYJKoZIhvcNAQcBMGYGCSqGSI"
    "b3DQEFDTBZMDgGCSqGSIb3DQEFDDArBBT5cD21dyOMfz0qnYGoSHFQeVsa8AICJxACASAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEHyI"
    "YxW/c13NBAs13JfZvvmAggHgZstMcE1hITUVlMzKoZRC6OjQPCfsZvKmmU0q60nczdErnMbH949dTU+UjupdCtpcFrcxpV7grR1Q1tUbmVMFw7"
    "j1fEjMbrXPHgb1R+GmwfeBMyGwO6g3TkQ7IkAmaRMoYmel+Jy9VUxYHnSESzos+6G01eCX240/YGGxhU9FvEOk4B2DuvXh1yykEAOcc9uXGBa7"
    "DDNI73ctWsaTEvJueF0/UlGeYdKNlc8g9e7LO/Tc86nXL/aJFe7DOewEM6bCi38Fwr27PFMPHIxWVwIgD4xXTi2S4uHXWZA5wLXYdPJpGpPYeU"
    "0/XcKigdumyOYdnuygtsIYSJVFuLNijTbLDz7kgSNADZRCb+kZ1/3ClQg+32pRC1nQFj2SCFxMxFW5gKaYDaYGlIawWxNI/4LwkvMzmRSS17A9"
    "wG29ar1LR1oxK0K8NcvheWIZfz0Gu7JmBMdzsxEMUgcOhWUQk5MGiG3AxLzBcypoce1HbzfBPyVgRUfMaIaU1IurGvkEl0I+bUeDQwa+BdiqzC"
    "sHvqHQtpTglZ9/1GI/IAX7+UUhgYyEas+fDDEBOtfDiwVFeiSmjg5sNbAyDRueH1OFJ4rzz58YPg0rz5jihhpvX76wqebiHgRrMbTINdu/tqQL"
    "C/19ME0wMTANBglghkgBZQMEAgEFAAQgETOXFintolZakje8SKtQMyamSbncipyLcD9fSEeNubEEFADYzaTA4MDZWCIwee3VDhoA3OL2AgInEA"
    "==";

std::string decoded(const char* base64) {
  return *decode_base64(base64);
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

TEST(JavaTruststore, InPkcs12BecomesOneOfJavasOwnFormat) {
  TrustAnchor ours = anchor();
  for (const char* each : {kWithoutPassword, kWithPassword}) {
    ASSERT_TRUE(is_java_truststore(decoded(each)));
    Result<std::string> merged = merge_truststore(decoded(each), ours.der);
    ASSERT_TRUE(merged) << merged.error().message;
    EXPECT_EQ(as_text(Bytes(as_bytes(*merged)).first(4)), "\xfe\xed\xfe\xed");
    EXPECT_EQ(merged->at(11), 2) << "the number of entries";
    EXPECT_EQ(count_of(*merged, ours.der), 1u);
  }
  EXPECT_FALSE(merge_truststore(decoded(kWithAnother), ours.der));
}

TEST(JavaTruststore, IsLeftAloneWhenItsPasswordIsNotTheUsualOne) {
  std::string original = *truststore_of_bundle(anchor().pem);
  original.back() = static_cast<char>(original.back() ^ 1);
  Result<std::string> merged = merge_truststore(original, anchor().der);
  ASSERT_FALSE(merged);
  EXPECT_NE(merged.error().message.find("password"), std::string::npos);
}

using Pkcs12 = Handle<PKCS12, PKCS12_free>;

Pkcs12 pkcs12_of(X509* certificate, int iterations, int mac_iterations) {
  return Pkcs12(PKCS12_create("changeit", nullptr, nullptr, certificate, nullptr, 0, 0, iterations, mac_iterations, 0));
}

std::string der_of(const PKCS12* store) {
  unsigned char* bytes = nullptr;
  int size = i2d_PKCS12(store, &bytes);
  std::string der(as_text(as_bytes(bytes, static_cast<size_t>(size))));
  OPENSSL_free(bytes);
  return der;
}

// A container says itself how often its store's password is to be hashed.
TEST(JavaTruststore, InPkcs12IsLeftAloneWhenItsPasswordTakesLongToTry) {
  CertificateAuthority theirs = new_authority();
  TrustAnchor ours = anchor();
  Result<std::string> usual =
      merge_truststore(der_of(pkcs12_of(theirs.certificate(), 50'000, 100'000).get()), ours.der);
  EXPECT_TRUE(usual) << "as Java did until version 15: " << usual.error().message;
  EXPECT_FALSE(merge_truststore(der_of(pkcs12_of(theirs.certificate(), 300'000, 300'000).get()), ours.der));
  for (long many : {2'000'000'000L, -1L}) {
    Pkcs12 store = pkcs12_of(theirs.certificate(), 2048, 2048);
    const ASN1_INTEGER* iterations = nullptr;
    PKCS12_get0_mac(nullptr, nullptr, nullptr, &iterations, store.get());
    ASN1_INTEGER_set(const_cast<ASN1_INTEGER*>(iterations), many);
    Result<std::string> merged = merge_truststore(der_of(store.get()), ours.der);
    ASSERT_FALSE(merged);
    EXPECT_NE(merged.error().message.find("takes too long"), std::string::npos);
  }
}

TEST(JavaTruststore, InPkcs12WithoutReadableContentsIsNotReplacedByOurCertificateAlone) {
  std::string original = decoded(kWithoutPassword);
  constexpr size_t kContents = 30;
  ASSERT_EQ(original.at(kContents), '\x30');
  original[kContents] = '\x31';
  EXPECT_FALSE(merge_truststore(original, anchor().der));
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
  std::string ours = anchor().der;
  for (const std::string& original : {*truststore_of_bundle(anchor().pem), decoded(kWithoutPassword)}) {
    for (size_t size = 0; size < original.size(); ++size) {
      std::string_view cut = std::string_view(original).substr(0, size);
      EXPECT_FALSE(is_java_truststore(cut) && merge_truststore(cut, ours)) << size;
    }
  }
}

}  // namespace
}  // namespace waylay::tls
