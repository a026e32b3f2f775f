#include "tls/x25519.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>

#include "base/bytes.h"
#include "tls/openssl.h"
#include "tls/provider.h"

namespace waylay::tls::testing {
namespace {

using Key = std::array<std::byte, kX25519Size>;

Key public_key(const Key& private_key) {
  Key key;
  x25519_public_key(private_key, key);
  return key;
}

Key openssl_public_key(const Key& private_key) {
  PrivateKey pair(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, as_u8(private_key), private_key.size()));
  Key key;
  size_t size = key.size();
  EXPECT_EQ(EVP_PKEY_get_raw_public_key(pair.get(), reinterpret_cast<unsigned char*>(key.data()), &size), 1);
  return key;
}

Key from_hex(std::string_view hex) {
  Key key;
  for (size_t i = 0; i < key.size(); ++i)
    key[i] = static_cast<std::byte>(std::stoi(std::string(hex.substr(2 * i, 2)), nullptr, 16));
  return key;
}

TEST(X25519, IsThatOfTheExampleInRfc7748) {
  // Section 6.1
  Key alice = from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  EXPECT_EQ(to_hex(public_key(alice)), "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  Key bob = from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  EXPECT_EQ(to_hex(public_key(bob)), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
}

// Also every digit in every place: each row's multiples, with either sign.
TEST(X25519, GivesTheSamePublicKeysAsOpenSsl) {
  std::mt19937 random(1);
  for (int turn = 0; turn < 2000; ++turn) {
    Key key;
    for (std::byte& byte : key) byte = static_cast<std::byte>(random());
    ASSERT_EQ(to_hex(public_key(key)), to_hex(openssl_public_key(key))) << to_hex(key);
  }
}

TEST(X25519, GivesTheSamePublicKeysAsOpenSslForKeysOfEqualBytes) {
  for (int value = 0; value < 256; ++value) {
    Key key;
    key.fill(static_cast<std::byte>(value));
    EXPECT_EQ(to_hex(public_key(key)), to_hex(openssl_public_key(key)));
  }
}

TEST(X25519, GivesTheSamePublicKeysAsOpenSslForKeysWithOneBit) {
  for (size_t bit = 0; bit < 8 * kX25519Size; ++bit) {
    Key key{}, rest;
    key[bit / 8] = std::byte(1 << bit % 8);
    std::ranges::transform(key, rest.begin(), [](std::byte byte) { return ~byte; });
    EXPECT_EQ(to_hex(public_key(key)), to_hex(openssl_public_key(key)));
    EXPECT_EQ(to_hex(public_key(rest)), to_hex(openssl_public_key(rest)));
  }
}

std::string provider_of(const EVP_PKEY* key) {
  return OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key));
}

PrivateKey generated(const char* query) {
  return PrivateKey(EVP_PKEY_Q_keygen(nullptr, query, "X25519"));
}

Key agreed(EVP_PKEY* ours, EVP_PKEY* theirs, const char* query) {
  Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new_from_pkey(nullptr, ours, query));
  Key secret{};
  size_t size = secret.size();
  EXPECT_EQ(EVP_PKEY_derive_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_derive_set_peer(context.get(), theirs), 1);
  EXPECT_EQ(EVP_PKEY_derive(context.get(), reinterpret_cast<unsigned char*>(secret.data()), &size), 1);
  return secret;
}

TEST(X25519, KeysOfOurProviderAgreeWithThoseOfOpenSsl) {
  PrivateKey ours = generated(provider_query()), other = generated(provider_query());
  PrivateKey theirs = generated("provider=default");
  ASSERT_EQ(provider_of(ours.get()), "waylay");
  ASSERT_EQ(provider_of(theirs.get()), "default");
  EXPECT_NE(EVP_PKEY_eq(ours.get(), other.get()), 1);
  EXPECT_EQ(agreed(ours.get(), theirs.get(), provider_query()), agreed(theirs.get(), ours.get(), "provider=default"));
  EXPECT_EQ(agreed(ours.get(), other.get(), provider_query()), agreed(other.get(), ours.get(), provider_query()));
  EXPECT_NE(agreed(ours.get(), theirs.get(), provider_query()), agreed(other.get(), theirs.get(), provider_query()));
}

TEST(X25519, KeysOfOurProviderHaveTheScalarsOfRfc7748) {
  PrivateKey ours = generated(provider_query());
  Key secret, open;
  size_t size = secret.size();
  ASSERT_EQ(EVP_PKEY_get_raw_private_key(ours.get(), reinterpret_cast<unsigned char*>(secret.data()), &size), 1);
  ASSERT_EQ(EVP_PKEY_get_raw_public_key(ours.get(), reinterpret_cast<unsigned char*>(open.data()), &size), 1);
  EXPECT_EQ(secret.front() & std::byte{7}, std::byte{0});
  EXPECT_EQ(secret.back() & std::byte{0xc0}, std::byte{0x40});
  EXPECT_EQ(to_hex(openssl_public_key(secret)), to_hex(open));
}

TEST(X25519, AHandshakesKeyShareIsMadeByOurProvider) {
  SslCtx context(SSL_CTX_new_ex(nullptr, provider_query(), TLS_client_method()));
  Ssl client(SSL_new(context.get()));
  SSL_set_bio(client.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_connect_state(client.get());
  SSL_do_handshake(client.get());  // a ClientHello with its key share
  EVP_PKEY* made = nullptr;
  ASSERT_EQ(SSL_get_tmp_key(client.get(), &made), 1);
  PrivateKey key(made);
  EXPECT_EQ(EVP_PKEY_is_a(key.get(), "X25519"), 1);
  EXPECT_EQ(provider_of(key.get()), "waylay");
}

TEST(X25519, OurProviderKnowsOneGroupOnly) {
  const char* query = provider_query();
  Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new_from_name(nullptr, "X25519", query));
  ASSERT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_group_name(context.get(), "X25519"), 1);
  EXPECT_NE(EVP_PKEY_CTX_set_group_name(context.get(), "x448"), 1);
}

}  // namespace
}  // namespace waylay::tls::testing
