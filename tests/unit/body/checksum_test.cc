#include "body/checksum.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace waylay::body {
namespace {

std::string hex(Algorithm algorithm, std::string_view bytes) {
  return to_hex(as_bytes(digest(algorithm, bytes)));
}

// The check values of the catalogue of CRCs (Cook), and the test vectors of RFC 1321 and FIPS 180.
TEST(Checksum, HasThePublishedValues) {
  EXPECT_EQ(hex(Algorithm::Crc32, "123456789"), "cbf43926");
  EXPECT_EQ(hex(Algorithm::Crc32c, "123456789"), "e3069283");
  EXPECT_EQ(hex(Algorithm::Crc64Nvme, "123456789"), "ae8b14860a799888");
  EXPECT_EQ(hex(Algorithm::Md5, "abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(hex(Algorithm::Sha1, "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex(Algorithm::Sha256, ""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(Algorithm::Sha512, "abc").substr(0, 16), "ddaf35a193617aba");
}

TEST(Checksum, OfNothing) {
  EXPECT_EQ(hex(Algorithm::Crc32, ""), "00000000");
  EXPECT_EQ(hex(Algorithm::Crc32c, ""), "00000000");
  EXPECT_EQ(hex(Algorithm::Crc64Nvme, ""), "0000000000000000");
}

TEST(Checksum, AlgorithmsHaveTheirNames) {
  EXPECT_EQ(algorithm_named("CRC64NVME"), Algorithm::Crc64Nvme);
  EXPECT_EQ(algorithm_named("sha-256"), Algorithm::Sha256);
  EXPECT_EQ(algorithm_named("SHA"), Algorithm::Sha1);
  EXPECT_EQ(algorithm_named("xxhash"), std::nullopt);
}

}  // namespace
}  // namespace waylay::body
