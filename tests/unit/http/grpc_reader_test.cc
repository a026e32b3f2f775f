#include "http/grpc_reader.h"

#include <gtest/gtest.h>

#include "base/base64.h"

namespace waylay::http {
namespace {

std::string message(std::string_view payload, char flags = 0) {
  std::string out(1, flags);
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(payload.size() >> shift & 0xff);
  return out.append(payload);
}

std::string counted(std::string_view bytes, bool is_base64, size_t piece) {
  GrpcReader reader(is_base64);
  while (!bytes.empty()) {
    std::string copy(bytes.substr(0, piece));
    bytes.remove_prefix(copy.size());
    reader.put(as_bytes(copy));
  }
  std::string out = std::to_string(reader.messages()) + " of " + std::to_string(reader.payload());
  return reader.failure().empty() ? out : out + ", " + std::string(reader.failure());
}

std::string counted(std::string_view bytes, bool is_base64 = false) {
  std::string whole = counted(bytes, is_base64, 1 << 20);
  for (size_t piece : {1, 2, 5, 7}) EXPECT_EQ(counted(bytes, is_base64, piece), whole) << piece;
  return whole;
}

TEST(GrpcReader, CountsMessagesInAnyPieces) {
  EXPECT_EQ(counted(""), "0 of 0");
  EXPECT_EQ(counted(message("")), "1 of 0");
  EXPECT_EQ(counted(message("one") + message(std::string(70'000, 'x'), 1) + message("three")), "3 of 70008");
}

TEST(GrpcReader, CountsNoTrailersOfGrpcWeb) {
  EXPECT_EQ(counted(message("one") + message("grpc-status:0\r\n", '\x80')), "1 of 3");
}

TEST(GrpcReader, ReadsBase64ThatEndsAndBeginsAnew) {
  EXPECT_EQ(counted(encode_base64(message("one") + message("four")), true), "2 of 7");
  EXPECT_EQ(
      counted(encode_base64(message("o")) + encode_base64(message("two")) + encode_base64(message("", '\x80')), true),
      "2 of 4");
  EXPECT_EQ(counted(encode_base64(message(std::string(10'000, 'x'))), true), "1 of 10000");
}

TEST(GrpcReader, StopsAtWhatIsNoGrpc) {
  EXPECT_EQ(counted(message("one") + "<html>"), "1 of 3, a message has flags that are not known");
  EXPECT_EQ(counted(encode_base64(message("one")) + "!", true), "1 of 3, what should be base64 is not");
}

}  // namespace
}  // namespace waylay::http
