#include <gtest/gtest.h>

#include <cstring>

#include "base/address.h"
#include "base/base64.h"
#include "base/byte_queue.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "base/spare.h"
#include "base/utf8.h"

namespace waylay {
namespace {

TEST(Address, ParsesAndPrintsBothFamilies) {
  EXPECT_EQ(Address::parse("10.1.2.3:443")->to_string(), "10.1.2.3:443");
  EXPECT_EQ(Address::parse("[2001:db8::1]:8443")->to_string(), "[2001:db8::1]:8443");
  EXPECT_FALSE(Address::parse("10.1.2.3"));
  EXPECT_FALSE(Address::parse("10.1.2.3:70000"));
  EXPECT_FALSE(Address::parse("nonsense:1"));
}

TEST(Address, SurvivesTheSocketForm) {
  for (const char* text : {"10.1.2.3:443", "[2001:db8::1]:8443"}) {
    sockaddr_storage storage{};
    Address before = *Address::parse(text);
    before.to_sockaddr(storage);
    EXPECT_EQ(*Address::from_sockaddr(storage), before);
  }
}

TEST(Address, UnmapsIpv4InIpv6) {
  Address mapped = *Address::parse("[::ffff:10.0.0.7]:443");
  EXPECT_TRUE(mapped.is_v4_mapped());
  EXPECT_EQ(mapped.unmapped().to_string(), "10.0.0.7:443");
  EXPECT_FALSE(Address::parse("[2001:db8::1]:1")->is_v4_mapped());
}

// What is compared eight bytes at a time, against the rule letter by letter.
TEST(Bytes, NamesAreEqualWhereOnlyTheCaseOfLettersDiffers) {
  auto is_letter = [](int byte) { return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'); };
  for (size_t size : {1u, 3u, 4u, 6u, 8u, 11u, 17u}) {
    for (size_t at = 0; at < size; ++at) {
      std::string a(size, 'q'), b(size, 'Q');
      for (int x = 0; x < 256; ++x) {
        for (int y = 0; y < 256; ++y) {
          a[at] = static_cast<char>(x), b[at] = static_cast<char>(y);
          bool equal = x == y || ((x ^ y) == 0x20 && is_letter(x) && is_letter(y));
          ASSERT_EQ(equals_ignoring_case(a, b), equal) << x << " and " << y << " at " << at << " of " << size;
        }
      }
    }
  }
  EXPECT_FALSE(equals_ignoring_case("host", "hosts"));
  EXPECT_TRUE(equals_ignoring_case("", ""));
}

TEST(ByteQueue, KeepsOrderOverAppendConsumeAndGrowth) {
  ByteQueue queue;
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    std::string piece(static_cast<size_t>(i % 97), static_cast<char>('a' + i % 26));
    queue.append(piece);
    expected += piece;
    size_t drop = std::min<size_t>(queue.size(), static_cast<size_t>(i % 89));
    queue.consume(drop);
    expected.erase(0, drop);
    ASSERT_EQ(queue.text(), expected);
  }
}

TEST(ByteQueue, HoldsNoMemoryWhenEmpty) {
  ByteQueue queue;
  queue.append("hello");
  queue.consume(5);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes().data(), nullptr);
}

TEST(SpareBlocks, GiveEveryoneABlockOfTheirOwn) {
  constexpr size_t kSize = 100, kTaken = 10;
  SpareBlocks blocks(kSize, 4);
  for (int times = 0; times < 3; ++times) {
    std::vector<void*> taken;
    for (size_t i = 0; i < kTaken; ++i) {
      taken.push_back(blocks.take());
      std::memset(taken.back(), static_cast<int>(i), kSize);
    }
    for (size_t i = 0; i < kTaken; ++i) {
      EXPECT_EQ(as_text(as_bytes(taken[i], kSize)), std::string(kSize, static_cast<char>(i)));
      blocks.give_back(taken[i]);
    }
  }
}

TEST(Error, ReadsFromOutsideToInside) {
  Error error = posix_error(EADDRINUSE, "listening on 127.0.0.1:8443").with("attaching docker:web");
  EXPECT_EQ(error.message, "attaching docker:web: listening on 127.0.0.1:8443: Address already in use");
  EXPECT_EQ(error.code, EADDRINUSE);
}

TEST(Base64, GoesBothWays) {
  constexpr std::pair<std::string_view, std::string_view> kPairs[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xfe\xfd", "//79"}};
  for (auto [bytes, text] : kPairs) {
    EXPECT_EQ(encode_base64(bytes), text);
    EXPECT_EQ(decode_base64(text), bytes);
  }
  for (std::string_view text : {"Zg", "Zg=", "Zh==", "Z===", "Zg==Zg==", "Zm9 ", "____"})
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
}

TEST(Utf8, IsTextWithoutSurrogatesAndOverlongForms) {
  for (std::string_view text :
       {"", "plain", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x90\xa2", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"})
    EXPECT_TRUE(is_utf8(text)) << text;
  for (std::string_view bytes : {"\x80", "\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                                 "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xe2\x82"})
    EXPECT_FALSE(is_utf8(bytes));
}

TEST(Clock, PrintsIso8601InUtc) {
  EXPECT_EQ(to_iso8601(1'000'000'000'123'000'000), "2001-09-09T01:46:40.123Z");
}

TEST(Log, QuotesWhatComesFromOutside) {
  EXPECT_EQ(log::quoted("plain"), "plain");
  EXPECT_EQ(log::quoted("two words"), "\"two words\"");
  EXPECT_EQ(log::quoted("a\nb\"c"), "\"a\\x0ab\\\"c\"");
  EXPECT_EQ(log::quoted(""), "\"\"");
}

}  // namespace
}  // namespace waylay
