#include "tls/key_schedule.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <random>
#include <vector>

#include "tls/provider.h"
#include "unit/tls/support.h"

namespace waylay::tls::testing {
namespace {

std::vector<std::byte> from_hex(std::string_view hex) {
  std::vector<std::byte> bytes;
  for (size_t at = 0; at + 1 < hex.size(); at += 2)
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(at, 2)), nullptr, 16)));
  return bytes;
}

std::string expanded(std::string_view secret, std::string_view label, std::string_view context, size_t size) {
  std::vector<std::byte> out(size);
  EXPECT_TRUE(expand_label(Hash::Sha256, from_hex(secret), label, from_hex(context), out));
  return to_hex(out);
}

// RFC 8448 section 3: the simple 1-RTT handshake.
constexpr std::string_view kEarly = "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a";
constexpr std::string_view kDhe = "8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d";
constexpr std::string_view kHandshake = "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac";
constexpr std::string_view kMaster = "18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919";
constexpr std::string_view kServerTraffic = "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643";
constexpr std::string_view kUntilServerFinished = "9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13";

TEST(KeySchedule, IsThatOfTheExamplesInRfc8448) {
  std::vector<std::byte> row(32);
  ASSERT_TRUE(next_extract(Hash::Sha256, {}, "derived", {}, row));
  EXPECT_EQ(to_hex(row), kEarly);
  ASSERT_TRUE(next_extract(Hash::Sha256, from_hex(kEarly), "derived", from_hex(kDhe), row));
  EXPECT_EQ(to_hex(row), kHandshake);
  ASSERT_TRUE(next_extract(Hash::Sha256, from_hex(kHandshake), "derived", {}, row));
  EXPECT_EQ(to_hex(row), kMaster);
  EXPECT_EQ(expanded(kMaster, "s ap traffic", kUntilServerFinished, 32), kServerTraffic);
  EXPECT_EQ(expanded(kServerTraffic, "key", "", 16), "9f02283b6c9c07efc26bb9f2ac92e356");
  EXPECT_EQ(expanded(kServerTraffic, "iv", "", 12), "cf782b88dd83549aadf1e984");
}

// The same question to a library context's provider.
std::vector<std::byte> ask(OSSL_LIB_CTX* library, const char* digest, int mode, Bytes key, Bytes salt,
                           std::string_view label, Bytes data, size_t size) {
  EVP_KDF* kdf = EVP_KDF_fetch(library, "TLS13-KDF", nullptr);
  EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
  auto octets = [](const char* name, Bytes bytes) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<std::byte*>(bytes.data()), bytes.size());
  };
  std::vector<OSSL_PARAM> params = {OSSL_PARAM_construct_int("mode", &mode),
                                    OSSL_PARAM_construct_utf8_string("digest", const_cast<char*>(digest), 0),
                                    octets("prefix", as_bytes("tls13 ")), octets("label", as_bytes(label))};
  if (!key.empty()) params.push_back(octets("key", key));
  if (!salt.empty()) params.push_back(octets("salt", salt));
  if (!data.empty()) params.push_back(octets("data", data));
  params.push_back(OSSL_PARAM_construct_end());
  std::vector<std::byte> out(size);
  EXPECT_EQ(EVP_KDF_derive(context, reinterpret_cast<unsigned char*>(out.data()), size, params.data()), 1);
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  return out;
}

std::vector<std::byte> random_bytes(std::mt19937& random, size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

TEST(KeySchedule, AnswersAsOpenSslsOwnDoes) {
  OSSL_LIB_CTX* const ours = tls_library();
  ASSERT_NE(ours, nullptr);
  std::mt19937 random(1);
  for (int turn = 0; turn < 500; ++turn) {
    bool large = random() % 2 == 0;
    size_t hash = large ? 48 : 32;
    const char* digest = large ? "SHA384" : "SHA256";
    std::vector<std::byte> key = random_bytes(random, hash), data = random_bytes(random, random() % 2 * hash);
    std::string label(1 + random() % 20, 'l');
    size_t size = 1 + random() % 200;
    auto expand = [&](OSSL_LIB_CTX* library) { return ask(library, digest, 1 + 1, key, {}, label, data, size); };
    EXPECT_EQ(expand(ours), expand(nullptr));
    std::vector<std::byte> salt = random_bytes(random, random() % 2 * hash);
    std::vector<std::byte> keying = random_bytes(random, random() % 3 * 66);
    auto extract = [&](OSSL_LIB_CTX* library) { return ask(library, digest, 1, keying, salt, "derived", {}, hash); };
    EXPECT_EQ(extract(ours), extract(nullptr));
  }
}

TEST(KeySchedule, RefusesWhatDoesNotFitIntoItsStructure) {
  std::vector<std::byte> secret(32), out(32), much(255 * 32 + 1);
  EXPECT_FALSE(expand_label(Hash::Sha256, secret, std::string(250, 'x'), {}, out));
  EXPECT_FALSE(expand_label(Hash::Sha256, secret, "key", {}, much));
  EXPECT_FALSE(next_extract(Hash::Sha384, {}, "derived", {}, out));
}

}  // namespace
}  // namespace waylay::tls::testing
