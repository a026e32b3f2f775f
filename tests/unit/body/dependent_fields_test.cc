#include "body/dependent_fields.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "body/checksum.h"

namespace waylay::body {
namespace {

http::Head response(std::string_view fields) {
  return http::Head::parse(http::Kind::Response, "HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n", Side::Upstream)
      .value();
}

// The fields afterwards, of a body that was "before" and is "after".
std::string refreshed(std::string_view fields, Change change = {"before", "after"}) {
  http::Head head = response(fields);
  refresh(head, change);
  std::string_view raw = head.raw();
  raw.remove_prefix(raw.find("\r\n") + 2);
  raw.remove_suffix(2);
  return std::string(raw);
}

std::string of(Algorithm algorithm, std::string_view bytes = "after") {
  return encode_base64(digest(algorithm, bytes));
}

TEST(DependentFields, OthersStayAsTheyAre) {
  std::string fields = "Server: x\r\ncontent-type:a\r\nX-Amz-Meta-Digest: md5=\r\nx-amz-checksum-: y\r\n";
  EXPECT_EQ(refreshed(fields), fields);
}

TEST(DependentFields, ChecksumsOfAmazonAreRecomputed) {
  EXPECT_EQ(refreshed("x-amz-checksum-crc32: AAAAAA==\r\nX-Amz-Checksum-CRC64NVME: AAAAAAAAAAA=\r\n"
                      "x-amz-checksum-sha256: AA==\r\nx-amz-checksum-type: FULL_OBJECT\r\n"),
            "x-amz-checksum-crc32: " + of(Algorithm::Crc32) +
                "\r\nX-Amz-Checksum-CRC64NVME: " + of(Algorithm::Crc64Nvme) +
                "\r\nx-amz-checksum-sha256: " + of(Algorithm::Sha256) + "\r\nx-amz-checksum-type: FULL_OBJECT\r\n");
  EXPECT_EQ(refreshed("x-amz-crc32: 123\r\n"), "x-amz-crc32: " + std::to_string(crc32("after")) + "\r\n");
}

TEST(DependentFields, ChecksumsThatCannotBeRecomputedGo) {
  EXPECT_EQ(refreshed("x-amz-checksum-crc32: AAAAAA==-3\r\nx-amz-checksum-type: COMPOSITE\r\nA: b\r\n"), "A: b\r\n");
  EXPECT_EQ(refreshed("x-amz-checksum-xxhash3: AAAA\r\nAccept-Ranges: bytes\r\nx-amz-trailer-signature: ab\r\n"), "");
}

TEST(DependentFields, DigestsAreRecomputed) {
  EXPECT_EQ(refreshed("Content-MD5: x\r\n"), "Content-MD5: " + of(Algorithm::Md5) + "\r\n");
  EXPECT_EQ(refreshed("Digest: SHA-256=x=,unixsum=3, md5=y\r\n"),
            "Digest: SHA-256=" + of(Algorithm::Sha256) + ", md5=" + of(Algorithm::Md5) + "\r\n");
  EXPECT_EQ(refreshed("Content-Digest: sha-256=:x=:\r\nRepr-Digest: sha-512=:y=:\r\n"),
            "Content-Digest: sha-256=:" + of(Algorithm::Sha256) +
                ":\r\nRepr-Digest: sha-512=:" + of(Algorithm::Sha512) + ":\r\n");
  EXPECT_EQ(refreshed("Digest: unixsum=3\r\n"), "");
}

TEST(DependentFields, OfOneNameAreOneList) {
  EXPECT_EQ(refreshed("x-goog-hash: crc32c=x\r\nA: b\r\nx-goog-hash: md5=y\r\n"),
            "x-goog-hash: crc32c=" + of(Algorithm::Crc32c) + ", md5=" + of(Algorithm::Md5) + "\r\nA: b\r\n");
}

TEST(DependentFields, AnEtagIsKeptOnlyAsTheMd5ThatItWas) {
  const std::string before = "ETag: \"5fb45d5b90c0d1c2f6d5d1b7a0d4c6a5\"\r\n";
  EXPECT_EQ(refreshed(before), "");
  // printf abc | md5sum, printf abd | md5sum
  EXPECT_EQ(refreshed("ETag: \"900150983cd24fb0d6963f7d28e17f72\"\r\n", {"abc", "abd"}),
            "ETag: \"4911e516e5aa21d327512e0c8b197616\"\r\n");
  EXPECT_EQ(refreshed("ETag: W/\"900150983cd24fb0d6963f7d28e17f72\"\r\n", {"abc", "abd"}), "");
  EXPECT_EQ(refreshed("ETag: \"900150983cd24fb0d6963f7d28e17f72\"\r\n", {std::nullopt, "abd"}), "");
}

TEST(DependentFields, APayloadHashIsRecomputedWhereItIsOne) {
  EXPECT_EQ(refreshed("x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n"), "x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n");
  EXPECT_EQ(refreshed("x-amz-content-sha256: " + std::string(64, 'a') + "\r\n", {"", ""}),
            "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\n");
}

TEST(DependentFields, InTrailersToo) {
  http::Trailers trailers = {{"x-amz-checksum-crc32", "AAAAAA=="}, {"x-amz-trailer-signature", "ab"}, {"Other", "1"}};
  refresh(trailers, {"before", "after"});
  EXPECT_EQ(trailers, (http::Trailers{{"x-amz-checksum-crc32", of(Algorithm::Crc32)}, {"Other", "1"}}));
}

}  // namespace
}  // namespace waylay::body
