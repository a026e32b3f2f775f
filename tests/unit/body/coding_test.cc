#include "body/coding.h"

#include <gtest/gtest.h>

namespace waylay::body {
namespace {

constexpr Coding kAll[] = {Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd};

http::Head with_encoding(std::initializer_list<const char*> values) {
  http::Head head = http::Head::response(200, "OK");
  for (const char* value : values) head.add("Content-Encoding", value);
  return head;
}

std::vector<Coding> codings(std::initializer_list<const char*> values) {
  Result<std::vector<Coding>> read = codings_of(with_encoding(values));
  EXPECT_TRUE(read.has_value());
  return read ? *read : std::vector<Coding>{};
}

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (int value : values) text += static_cast<char>(value);
  return text;
}

std::string decoded(const std::string& coded, Coding coding) {
  Result<std::string> content = decode(coded, {{coding}});
  return content ? *content : "failed: " + content.error().message;
}

std::string sample(size_t size) {
  std::string text;
  for (size_t i = 0; text.size() < size; ++i) text += "line " + std::to_string(i * i) + "\n";
  return text;
}

TEST(Codings, AreReadInTheirOrder) {
  EXPECT_EQ(codings({}), std::vector<Coding>{});
  EXPECT_EQ(codings({"gzip"}), std::vector{Coding::Gzip});
  EXPECT_EQ(codings({"identity, X-GZIP ,br"}), (std::vector{Coding::Gzip, Coding::Brotli}));
  EXPECT_EQ(codings({"deflate", "zstd"}), (std::vector{Coding::Deflate, Coding::Zstd}));
}

TEST(Codings, ThatAreNotKnownAreNamed) {
  Result<std::vector<Coding>> read = codings_of(with_encoding({"gzip, compress"}));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::NotFound);
  EXPECT_EQ(read.error().message, "Content-Encoding compress is not known");
  EXPECT_FALSE(codings_of(with_encoding({"gzip,gzip,gzip,gzip,gzip"})));
}

TEST(Coding, DecodesWhatItEncoded) {
  for (Coding coding : kAll) {
    for (const std::string& text : {std::string(), std::string("a"), sample(100'000)}) {
      std::string coded = encode(text, {{coding}});
      EXPECT_EQ(decoded(coded, coding), text) << to_string(coding);
      if (text.size() > 1) EXPECT_LT(coded.size(), text.size() / 2) << to_string(coding);
    }
  }
}

// "hello\n" as other programs write it: gzip -n, zlib.compress of Python, brotli, zstd.
TEST(Coding, DecodesWhatOthersEncoded) {
  EXPECT_EQ(decoded(bytes({0x1f, 0x8b, 8,    0, 0, 0,    0,    0,    0,    3, 0xcb, 0x48, 0xcd,
                           0xc9, 0xc9, 0xe7, 2, 0, 0x20, 0x30, 0x3a, 0x36, 6, 0,    0,    0}),
                    Coding::Gzip),
            "hello\n");
  EXPECT_EQ(decoded(bytes({0x78, 0x9c, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xe7, 2, 0, 8, 0x4b, 2, 0x1f}), Coding::Deflate),
            "hello\n");
  EXPECT_EQ(decoded(bytes({0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xe7, 2, 0}), Coding::Deflate), "hello\n");
  EXPECT_EQ(decoded(bytes({0x8b, 2, 0x80, 'h', 'e', 'l', 'l', 'o', '\n', 3}), Coding::Brotli), "hello\n");
  EXPECT_EQ(decoded(bytes({0x28, 0xb5, 0x2f, 0xfd, 0x20, 6, 0x31, 0, 0, 'h', 'e', 'l', 'l', 'o', '\n'}), Coding::Zstd),
            "hello\n");
}

TEST(Coding, SeveralAreStackedAsTheHeaderSays) {
  std::vector<Coding> stack = {Coding::Brotli, Coding::Gzip, Coding::Zstd, Coding::Deflate};
  std::string text = sample(5000), coded = encode(text, stack);
  EXPECT_EQ(decode(coded, stack).value(), text);
  EXPECT_EQ(decoded(coded, Coding::Deflate), encode(text, std::span(stack).first(3)));
  EXPECT_EQ(decode(text, {}).value(), text);
}

TEST(Coding, OfSeveralMembersOrFramesIsOneBody) {
  std::string gzip = encode("one ", {{Coding::Gzip}}) + encode("two", {{Coding::Gzip}});
  EXPECT_EQ(decoded(gzip, Coding::Gzip), "one two");
  std::string zstd = encode("one ", {{Coding::Zstd}}) + encode("two", {{Coding::Zstd}});
  EXPECT_EQ(decoded(zstd, Coding::Zstd), "one two");
}

TEST(Coding, ThatEndsTooEarlyIsAnError) {
  std::string text = sample(3000);
  for (Coding coding : kAll) {
    std::string coded = encode(text, {{coding}});
    for (size_t size = 0; size < coded.size(); ++size) {
      Result<std::string> content = decode(std::string_view(coded).substr(0, size), {{coding}});
      ASSERT_FALSE(content) << to_string(coding) << " cut after " << size;
      ASSERT_EQ(content.error().kind, ErrorKind::Protocol);
    }
  }
}

TEST(Coding, ThatGoesOnBehindItsEndIsAnError) {
  for (Coding coding : kAll) {
    Result<std::string> content = decode(encode("text", {{coding}}) + "more", {{coding}});
    EXPECT_FALSE(content) << to_string(coding);
  }
}

TEST(Coding, OfSomethingElseIsAnError) {
  for (Coding coding : kAll) {
    Result<std::string> content = decode("{\"plain\": \"text\"}", {{coding}});
    ASSERT_FALSE(content) << to_string(coding);
    EXPECT_TRUE(content.error().message.starts_with("the body is not " + std::string(to_string(coding))))
        << content.error().message;
  }
}

// A small body may be a large one.
TEST(Coding, StopsAtItsLimit) {
  std::string zeros(kMostDecoded, '0');
  for (Coding coding : kAll) {
    std::string coded = encode(zeros, {{coding}});
    EXPECT_LT(coded.size(), kMostDecoded / 100);
    EXPECT_EQ(decode(coded, {{coding}}).value().size(), kMostDecoded) << to_string(coding);
    Result<std::string> content = decode(coded, {{coding}}, kMostDecoded - 1);
    ASSERT_FALSE(content) << to_string(coding);
    EXPECT_EQ(content.error().kind, ErrorKind::Limit) << to_string(coding);
  }
  EXPECT_EQ(decode("abc", {}, 2).error().kind, ErrorKind::Limit);
}

TEST(Coding, ALayerWithinIsBoundToo) {
  std::string zeros(100'000, '0');
  std::vector<Coding> stack = {Coding::Gzip, Coding::Gzip};
  EXPECT_EQ(decode(encode(zeros, stack), stack, 1000).error().kind, ErrorKind::Limit);
}

}  // namespace
}  // namespace waylay::body
