#include "tls/client_hello.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/tls/hello_bytes.h"
#include "unit/tls/support.h"

namespace waylay::tls::testing {
namespace {

ClientHello parsed(const Buffer& bytes) {
  Result<std::optional<ClientHello>> hello = parse_client_hello(bytes);
  EXPECT_TRUE(hello && *hello) << (hello ? "more bytes needed" : hello.error().message);
  return hello && *hello ? **hello : ClientHello();
}

ErrorKind refusal(const Buffer& bytes) {
  Result<std::optional<ClientHello>> hello = parse_client_hello(bytes);
  EXPECT_FALSE(hello);
  if (hello) return ErrorKind::System;
  EXPECT_EQ(hello.error().side, Side::Client);
  return hello.error().kind;
}

void expect_known_only_at_the_end(const Buffer& bytes) {
  for (size_t size = 0; size < bytes.size(); ++size) {
    Buffer prefix(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    Result<std::optional<ClientHello>> hello = parse_client_hello(prefix);
    ASSERT_TRUE(hello) << "at " << size << ": " << hello.error().message;
    ASSERT_FALSE(*hello) << "at " << size;
  }
}

TEST(ClientHello, ReadsWhatOpensslSends) {
  ClientHello hello = parsed(openssl_hello("WWW.Example.org", {"h2", "http/1.1"}));
  EXPECT_EQ(hello.server_name, "www.example.org");
  EXPECT_EQ(hello.alpn, (std::vector<std::string>{"h2", "http/1.1"}));
  EXPECT_TRUE(hello.tls13);
  EXPECT_TRUE(hello.tls12);
  EXPECT_EQ(hello.legacy_version, 0x0303);
  EXPECT_FALSE(hello.has_ech);
  EXPECT_FALSE(hello.has_early_data);
  EXPECT_FALSE(hello.offers_resumption);
  EXPECT_NE(std::ranges::find(hello.ciphers, 0x1301), hello.ciphers.end());
  EXPECT_EQ(hello.groups.front(), 0x001d) << "X25519";
  EXPECT_EQ(hello.ja4.substr(0, 4), "t13d");
}

TEST(ClientHello, ReadsTls12WithoutNameAndProtocol) {
  ClientHello hello = parsed(openssl_hello("", {}, TLS1_2_VERSION));
  EXPECT_EQ(hello.server_name, "");
  EXPECT_TRUE(hello.alpn.empty());
  EXPECT_FALSE(hello.tls13);
  EXPECT_TRUE(hello.tls12);
  EXPECT_EQ(hello.ja4.substr(0, 4), "t12i");
  EXPECT_EQ(hello.ja4.substr(8, 2), "00");
}

TEST(ClientHello, NeedsEveryByteAndNotOneMore) {
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Buffer bytes = openssl_hello("example.org", {"http/1.1"}, version);
    expect_known_only_at_the_end(bytes);
    EXPECT_EQ(parsed(bytes).server_name, "example.org");
    append(bytes, as_bytes("what follows is not looked at"));
    EXPECT_EQ(parsed(bytes).server_name, "example.org");
  }
}

TEST(ClientHello, MayComeInRecordsOfAnySize) {
  Buffer bytes = openssl_hello("example.org", {"http/1.1"});
  ClientHello whole = parsed(bytes);
  for (size_t fragment = 1; fragment < 300; ++fragment) {
    ClientHello hello = parsed(refragmented(bytes, fragment));
    EXPECT_EQ(hello.server_name, "example.org") << fragment;
    EXPECT_EQ(hello.ja4, whole.ja4) << fragment;
  }
  expect_known_only_at_the_end(refragmented(bytes, 1));
  expect_known_only_at_the_end(refragmented(bytes, 7));
}

// As with post-quantum key shares: longer than a segment, or even than a record.
TEST(ClientHello, MayBeLong) {
  HandMade made;
  made.extensions = {
      {0, server_name("example.org")}, {43, numbers({0x0304}, 1)}, {51, Buffer(1'300)}, {21, Buffer(40'000)}};
  Buffer bytes = refragmented(
      [&] {
        Buffer record;  // the length of one record cannot say this, so cut it at once
        Buffer message = made.message();
        for (size_t at = 0; at < message.size(); at += 16'384) {
          Bytes piece = Bytes(message).subspan(at, std::min<size_t>(16'384, message.size() - at));
          append_u8(record, 22);
          append_u16(record, 0x0301);
          append_u16(record, piece.size());
          append(record, piece);
        }
        return record;
      }(),
      1'400);
  EXPECT_TRUE(parsed(bytes).tls13);
  EXPECT_EQ(parsed(bytes).server_name, "example.org");
  bytes.pop_back();
  EXPECT_FALSE(*parse_client_hello(bytes));
}

TEST(ClientHello, IsRefusedFromItsFirstByteWhereItIsNotTls) {
  for (int value = 0; value < 256; ++value) {
    Buffer bytes = {static_cast<std::byte>(value)};
    if (value == 22) {
      EXPECT_TRUE(parse_client_hello(bytes));
    } else {
      EXPECT_EQ(refusal(bytes), ErrorKind::Protocol) << value;
    }
  }
  EXPECT_FALSE(*parse_client_hello({}));
}

TEST(ClientHello, IsRefusedAtTheFirstByteThatCannotBe) {
  auto bytes = [](std::initializer_list<int> values) {
    Buffer out;
    for (int value : values) append_u8(out, static_cast<size_t>(value));
    return out;
  };
  EXPECT_EQ(refusal(bytes({22, 2})), ErrorKind::Protocol);                     // version 2.x
  EXPECT_EQ(refusal(bytes({22, 3, 9})), ErrorKind::Protocol);                  // version 3.9
  EXPECT_EQ(refusal(bytes({22, 3, 1, 0, 0})), ErrorKind::Protocol);            // an empty record
  EXPECT_EQ(refusal(bytes({22, 3, 1, 0x40, 1})), ErrorKind::Protocol);         // longer than 16 KiB
  EXPECT_EQ(refusal(bytes({22, 3, 1, 0, 50, 2})), ErrorKind::Protocol);        // a ServerHello
  EXPECT_EQ(refusal(bytes({22, 3, 1, 0, 1, 1, 23})), ErrorKind::Protocol);     // application data in its midst
  EXPECT_EQ(refusal(bytes({22, 3, 1, 0, 50, 1, 2, 0, 0})), ErrorKind::Limit);  // a message of 128 KiB
}

TEST(ClientHello, IsLimitedTo64KiB) {
  Buffer bytes;  // one byte of the message in each record: a short message in too many bytes
  for (size_t i = 0; bytes.size() < kMaxClientHelloBytes; ++i) {
    append_u8(bytes, 22);
    append_u16(bytes, 0x0301);
    append_u16(bytes, 1);
    append_u8(bytes, i == 0 ? 1 : i == 2 ? 0xf0 : 0);
  }
  EXPECT_EQ(refusal(bytes), ErrorKind::Limit);
  bytes.resize(kMaxClientHelloBytes - 10);
  EXPECT_FALSE(*parse_client_hello(bytes));
}

TEST(ClientHello, WithoutExtensionsIsAnOldOne) {
  HandMade made;
  Buffer bytes = made.record();
  bytes.resize(bytes.size() - 2);
  bytes[4] = static_cast<std::byte>(std::to_integer<int>(bytes[4]) - 2);
  bytes[8] = static_cast<std::byte>(std::to_integer<int>(bytes[8]) - 2);
  EXPECT_TRUE(parsed(bytes).tls12);
  EXPECT_TRUE(parsed(bytes).extensions.empty());
  EXPECT_EQ(parsed(bytes).ja4.substr(10), "_0f2cb44170f4_000000000000");
}

TEST(ClientHello, TellsWhatElseMatters) {
  HandMade made;
  made.extensions = {{0xfe0d, Buffer(8)}, {42, {}}, {35, Buffer(16)}, {43, numbers({0x1a1a, 0x0304}, 1)}};
  ClientHello hello = parsed(made.record());
  EXPECT_TRUE(hello.has_ech);
  EXPECT_TRUE(hello.has_early_data);
  EXPECT_TRUE(hello.offers_resumption);
  EXPECT_TRUE(hello.tls13);
  EXPECT_FALSE(hello.tls12);
}

// RFC 9849 section 5: the outer form with and without an encapsulated key (after a HelloRetryRequest), the inner form,
// and what is neither. To us, who hold no key, each is an extension that we do not know, and never a reason to refuse.
TEST(ClientHello, TellsThatItOffersEncryptedClientHelloWhateverIsInIt) {
  Buffer key(32, std::byte{7}), payload(176, std::byte{9});
  for (const Buffer& data : {ech_outer(key, payload), ech_outer({}, payload), ech_outer(key, {}), Buffer{std::byte{1}},
                             Buffer{}, Buffer{std::byte{0}, std::byte{0}}, Buffer(300, std::byte{0xff})}) {
    HandMade made;
    made.extensions = {{0xfe0d, data}, {0, server_name("public.example")}};
    ClientHello hello = parsed(made.record());
    EXPECT_TRUE(hello.has_ech);
    EXPECT_EQ(hello.server_name, "public.example") << "the outer name";
    expect_known_only_at_the_end(made.record());
    EXPECT_TRUE(parsed(refragmented(made.record(), 1)).has_ech);
  }
}

TEST(ClientHello, WithTwoEncryptedClientHellosIsRefused) {
  HandMade made;
  made.extensions = {{0xfe0d, Buffer{std::byte{1}}}, {0xfe0d, Buffer{std::byte{1}}}};
  EXPECT_EQ(refusal(made.record()), ErrorKind::Protocol);
}

TEST(ClientHello, WithAServerNameThatIsNoneIsRefused) {
  std::string long_label(64, 'a'), long_name;
  for (int i = 0; i < 90; ++i) long_name += "abc.";
  for (std::string_view name :
       {std::string_view("a\0b", 3), std::string_view("a b"), std::string_view(".a"), std::string_view("a..b"),
        std::string_view("a.."), std::string_view("."), std::string_view(""), std::string_view("a/b"),
        std::string_view("\xc3\xa4.example"), std::string_view(long_label), std::string_view(long_name)}) {
    HandMade made;
    made.extensions = {{0, server_name(name)}};
    EXPECT_EQ(refusal(made.record()), ErrorKind::Protocol) << name;
  }
}

TEST(ClientHello, NormalizesItsServerName) {
  for (auto [sent, meant] : {std::pair("Example.ORG", "example.org"),
                             {"example.org.", "example.org"},
                             {"a_b.c-d", "a_b.c-d"},
                             {"localhost", "localhost"},
                             {"192.0.2.1", "192.0.2.1"},
                             {"2001:DB8::1", "2001:db8::1"}}) {
    HandMade made;
    made.extensions = {{0, server_name(sent)}};
    EXPECT_EQ(parsed(made.record()).server_name, meant);
  }
}

TEST(ClientHello, WithMalformedExtensionsIsRefused) {
  Buffer two_names = server_name("a.example");
  append(two_names, Bytes(server_name("b.example")));
  Buffer wrong_length = server_name("a.example");
  wrong_length[1] = std::byte{200};
  const std::vector<std::vector<std::pair<uint16_t, Buffer>>> cases = {
      {{0, {}}},
      {{0, two_names}},
      {{0, wrong_length}},
      {{0, server_name("a.example", 1)}},
      {{0, server_name("a.example")}, {0, server_name("b.example")}},  // twice
      {{21, {}}, {16, alpn_of({"h2"})}, {21, {}}},
      {{16, {}}},
      {{16, alpn_of({})}},
      {{16, alpn_of({"h2", ""})}},
      {{10, Buffer(3)}},
      {{43, numbers({}, 1)}},
      {{13, Buffer(1)}},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    HandMade made;
    made.extensions = cases[i];
    EXPECT_EQ(refusal(made.record()), ErrorKind::Protocol) << "case " << i;
  }
}

TEST(ClientHello, WithoutCipherSuitesOrWithBytesBehindItsEndIsRefused) {
  HandMade none;
  none.ciphers = {};
  EXPECT_EQ(refusal(none.record()), ErrorKind::Protocol);
  HandMade old;
  old.version = 0x0200;
  EXPECT_EQ(refusal(old.record()), ErrorKind::Protocol);
  Buffer longer = HandMade{}.record();
  append_u8(longer, 0);
  longer[4] = static_cast<std::byte>(std::to_integer<int>(longer[4]) + 1);
  longer[8] = static_cast<std::byte>(std::to_integer<int>(longer[8]) + 1);
  EXPECT_EQ(refusal(longer), ErrorKind::Protocol);
}

TEST(ClientHello, DamagedAnywhereNeverReadsBeyondItsEnd) {
  Buffer bytes = openssl_hello("example.org", {"h2", "http/1.1"});
  size_t refused = 0;
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (std::byte value : {std::byte{0}, std::byte{0xff}, std::byte{1}}) {
      Buffer damaged = bytes;
      damaged[at] = value;
      refused += parse_client_hello(damaged) ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 20U);  // the sanitizers judge the rest
}

// The example in the description of JA4: Chrome.
TEST(Ja4, OfChromeIsThePublishedOne) {
  HandMade made;
  made.ciphers = {0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030,
                  0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035};
  Buffer algorithms = numbers({0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601}, 2);
  made.extensions = {{0x3a3a, {}},
                     {0x001b, {}},
                     {0x0000, server_name("example.org")},
                     {0x0033, {}},
                     {0x0010, alpn_of({"h2", "http/1.1"})},
                     {0x4469, {}},
                     {0x0017, {}},
                     {0x002d, {}},
                     {0x000d, algorithms},
                     {0x0005, {}},
                     {0x0023, {}},
                     {0x0012, {}},
                     {0x002b, numbers({0x2a2a, 0x0304, 0x0303}, 1)},
                     {0xff01, {}},
                     {0x000b, {}},
                     {0x000a, numbers({0x4a4a, 0x001d, 0x0017}, 2)},
                     {0x0015, {}},
                     {0x8a8a, Buffer(1)}};
  EXPECT_EQ(parsed(made.record()).ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

TEST(Ja4, TakesHexadecimalWhereTheProtocolIsNoText) {
  HandMade made;
  made.extensions = {{16, alpn_of({"\xab\xcd"})}};
  EXPECT_EQ(parsed(made.record()).ja4.substr(8, 2), "ad");
}

TEST(HostName, KnowsAddresses) {
  EXPECT_TRUE(is_ip_literal("192.0.2.1"));
  EXPECT_TRUE(is_ip_literal("::1"));
  EXPECT_FALSE(is_ip_literal("[::1]"));
  EXPECT_FALSE(is_ip_literal("example.org"));
  EXPECT_FALSE(is_ip_literal(""));
}

}  // namespace
}  // namespace waylay::tls::testing
