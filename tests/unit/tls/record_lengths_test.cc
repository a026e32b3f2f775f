#include "tls/record_lengths.h"

#include <gtest/gtest.h>

#include <string>

namespace waylay::tls {
namespace {

std::string record(char type, size_t length) {
  std::string bytes = {type, 3, 3, static_cast<char>(length >> 8), static_cast<char>(length)};
  return bytes + std::string(length, '\x16');
}

std::string conversation() {
  return record(22, 512) + record(20, 1) + record(23, 0) + record(23, 33) + record(23, 16640);
}

RecordLengths in_pieces(std::string_view bytes, size_t piece) {
  RecordLengths lengths;
  for (size_t at = 0; at < bytes.size(); at += piece) lengths.add(as_bytes(bytes.substr(at, piece)));
  return lengths;
}

TEST(RecordLengths, AreTheSameHoweverTheBytesWereSplit) {
  for (size_t piece : {1, 2, 5, 7, 1000, 100'000}) {
    RecordLengths lengths = in_pieces(conversation(), piece);
    EXPECT_TRUE(lengths.is_tls());
    EXPECT_EQ(lengths.count(), 5u);
    EXPECT_EQ(lengths.first(), (std::vector<uint16_t>{512, 1, 0, 33, 16640}));
    EXPECT_EQ(lengths.classes(), (std::array<uint64_t, 10>{2, 1, 0, 0, 1, 0, 0, 0, 0, 1}));
  }
}

TEST(RecordLengths, KeepNoMoreThanTheFirst) {
  std::string many;
  for (int i = 0; i < 1000; ++i) many += record(23, 20);
  RecordLengths lengths = in_pieces(many, 11);
  EXPECT_EQ(lengths.count(), 1000u);
  EXPECT_EQ(lengths.first().size(), RecordLengths::kFirst);
  EXPECT_EQ(lengths.classes()[0], 1000u);
}

TEST(RecordLengths, EndWhereTlsEnds) {
  for (const std::string& other : std::vector<std::string>{
           "GET / HTTP/1.1\r\n", "SSH-2.0-x\r\n", std::string("\x16\x02\x00\x00\x01", 5), "\x17\x03\x03\x41\x01"}) {
    EXPECT_FALSE(in_pieces(other, 1).is_tls()) << other;
    RecordLengths behind = in_pieces(record(22, 10) + other, 3);
    EXPECT_FALSE(behind.is_tls());
    EXPECT_EQ(behind.count(), 1u);
  }
  EXPECT_FALSE(RecordLengths().is_tls());
}

}  // namespace
}  // namespace waylay::tls
