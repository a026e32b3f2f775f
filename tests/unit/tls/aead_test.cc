#include "tls/aead.h"

#include <gtest/gtest.h>

#include <string>

#include "unit/tls/support_hex.h"

namespace waylay::tls::testing {
namespace {

struct Vector {
  const char* name;
  const char* cipher;
  std::string key, nonce, associated, plaintext, sealed;  // with its tag
};

// The GCM specification's cases 4 and 16 (McGrew and Viega), RFC 8439 appendix A.5.
const Vector kVectors[] = {
    {"Aes128", "AES-128-GCM", from_hex("feffe9928665731c6d6a8f9467308308"), from_hex("cafebabefacedbaddecaf888"),
     from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
     from_hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5"
              "aa0de657ba637b39"),
     from_hex("42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b39"
              "6a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47")},
    {"Aes256", "AES-256-GCM", from_hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"),
     from_hex("cafebabefacedbaddecaf888"), from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
     from_hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5"
              "aa0de657ba637b39"),
     from_hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e63"
              "93ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b")},
    {"ChaCha20", "ChaCha20-Poly1305", from_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"),
     from_hex("070000004041424344454647"), from_hex("50515253c0c1c2c3c4c5c6c7"),
     "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be "
     "it.",
     from_hex("d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a"
              "9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9d"
              "e576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691")},
};

struct AeadVectors : ::testing::TestWithParam<Vector> {
  static Aead keyed(Aead::Direction direction) {
    std::optional<Aead> aead = Aead::make(GetParam().cipher, direction);
    EXPECT_TRUE(aead && aead->set_key(as_bytes(GetParam().key)));
    return std::move(*aead);
  }
  static bool open(Aead& aead, const Vector& vector, std::string sealed, std::string& out) {
    out.assign(sealed.size(), '?');
    return aead.open(as_bytes(vector.nonce), as_bytes(vector.associated), as_bytes(sealed),
                     reinterpret_cast<std::byte*>(out.data()));
  }
};

INSTANTIATE_TEST_SUITE_P(Published, AeadVectors, ::testing::ValuesIn(kVectors),
                         [](const auto& info) { return info.param.name; });

TEST_P(AeadVectors, SealsAsPublishedWhereverTheTextIsCut) {
  const Vector& vector = GetParam();
  Aead aead = keyed(Aead::Direction::Sealing);
  for (size_t cut = 0; cut <= vector.plaintext.size(); ++cut) {
    std::string out(vector.sealed.size(), '?');
    Bytes text = as_bytes(vector.plaintext);
    ASSERT_TRUE(aead.seal(as_bytes(vector.nonce), as_bytes(vector.associated), text.first(cut), text.subspan(cut),
                          reinterpret_cast<std::byte*>(out.data())));
    ASSERT_EQ(to_hex(as_bytes(out)), to_hex(as_bytes(vector.sealed))) << "cut at " << cut;
  }
}

TEST_P(AeadVectors, OpensWhatWasSealedAgainAndAgain) {
  const Vector& vector = GetParam();
  Aead aead = keyed(Aead::Direction::Opening);
  for (int times = 0; times < 3; ++times) {
    std::string out;
    ASSERT_TRUE(open(aead, vector, vector.sealed, out));
    EXPECT_EQ(out.substr(0, vector.plaintext.size()), vector.plaintext);
  }
}

TEST_P(AeadVectors, OpensInPlace) {
  const Vector& vector = GetParam();
  Aead aead = keyed(Aead::Direction::Opening);
  std::string bytes = vector.sealed;
  ASSERT_TRUE(aead.open(as_bytes(vector.nonce), as_bytes(vector.associated), as_bytes(bytes),
                        reinterpret_cast<std::byte*>(bytes.data())));
  EXPECT_EQ(bytes.substr(0, vector.plaintext.size()), vector.plaintext);
}

TEST_P(AeadVectors, RefusesEveryChangedBit) {
  const Vector& vector = GetParam();
  Aead aead = keyed(Aead::Direction::Opening);
  std::string out;
  for (size_t bit = 0; bit < vector.sealed.size() * 8; ++bit) {
    std::string forged = vector.sealed;
    forged[bit / 8] = static_cast<char>(forged[bit / 8] ^ 1 << bit % 8);
    EXPECT_FALSE(open(aead, vector, forged, out)) << "bit " << bit;
  }
  EXPECT_TRUE(open(aead, vector, vector.sealed, out)) << "a forgery changes nothing for what comes behind it";
}

TEST_P(AeadVectors, RefusesAnotherNonceAndOtherAssociatedData) {
  Vector vector = GetParam();
  Aead aead = keyed(Aead::Direction::Opening);
  std::string out;
  vector.nonce.back() ^= 1;
  EXPECT_FALSE(open(aead, vector, vector.sealed, out));
  vector = GetParam();
  vector.associated.front() ^= 1;
  EXPECT_FALSE(open(aead, vector, vector.sealed, out));
}

TEST_P(AeadVectors, RefusesWhatIsShorterThanItsTag) {
  const Vector& vector = GetParam();
  Aead aead = keyed(Aead::Direction::Opening);
  std::string out;
  for (size_t size = 0; size < vector.sealed.size(); ++size)
    EXPECT_FALSE(open(aead, vector, vector.sealed.substr(0, size), out)) << size << " bytes";
}

TEST_P(AeadVectors, TakesAnotherKeyInItsMidst) {
  const Vector& vector = GetParam();
  Aead aead = keyed(Aead::Direction::Opening);
  std::string other = vector.key, out;
  other.front() ^= 1;
  ASSERT_TRUE(aead.set_key(as_bytes(other)));
  EXPECT_FALSE(open(aead, vector, vector.sealed, out));
  ASSERT_TRUE(aead.set_key(as_bytes(vector.key)));
  EXPECT_TRUE(open(aead, vector, vector.sealed, out));
}

TEST(Aead, IsNoneWhereOpensslHasNone) {
  EXPECT_FALSE(Aead::make("AES-128-CBC", Aead::Direction::Sealing));
  EXPECT_FALSE(Aead::make("", Aead::Direction::Opening));
}

}  // namespace
}  // namespace waylay::tls::testing
