#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>

#include <array>
#include <string>

#include "base/bytes.h"
#include "tls/openssl.h"
#include "tls/provider.h"

namespace waylay::tls::testing {
namespace {

using Key = std::array<std::byte, 32>;

Key openssl_public_key(const Key& private_key) {
  PrivateKey pair(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, as_u8(private_key), private_key.size()));
  Key key;
  size_t size = key.size();
  EXPECT_EQ(EVP_PKEY_get_raw_public_key(pair.get(), reinterpret_cast<unsigned char*>(key.data()), &size), 1);
  return key;
}

std::string provider_of(const EVP_PKEY* key) {
  return OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key));
}

PrivateKey generated(OSSL_LIB_CTX* library) {
  return PrivateKey(EVP_PKEY_Q_keygen(library, nullptr, "X25519"));
}

Key agreed(EVP_PKEY* ours, EVP_PKEY* theirs, OSSL_LIB_CTX* library) {
  Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new_from_pkey(library, ours, nullptr));
  Key secret{};
  size_t size = secret.size();
  EXPECT_EQ(EVP_PKEY_derive_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_derive_set_peer(context.get(), theirs), 1);
  EXPECT_EQ(EVP_PKEY_derive(context.get(), reinterpret_cast<unsigned char*>(secret.data()), &size), 1);
  return secret;
}

TEST(X25519, KeysOfOurProviderAgreeWithThoseOfOpenSsl) {
  PrivateKey ours = generated(tls_library()), other = generated(tls_library());
  PrivateKey theirs = generated(nullptr);
  ASSERT_EQ(provider_of(ours.get()), "waylay");
  ASSERT_EQ(provider_of(theirs.get()), "default");
  EXPECT_NE(EVP_PKEY_eq(ours.get(), other.get()), 1);
  EXPECT_EQ(agreed(ours.get(), theirs.get(), tls_library()), agreed(theirs.get(), ours.get(), nullptr));
  EXPECT_EQ(agreed(ours.get(), other.get(), tls_library()), agreed(other.get(), ours.get(), tls_library()));
  EXPECT_NE(agreed(ours.get(), theirs.get(), tls_library()), agreed(other.get(), theirs.get(), tls_library()));
}

TEST(X25519, KeysOfOurProviderHaveTheScalarsOfRfc7748AndTheirPublicKeys) {
  for (int pair = 0; pair < 500; ++pair) {
    PrivateKey ours = generated(tls_library());
    Key secret, open;
    size_t size = secret.size();
    ASSERT_EQ(EVP_PKEY_get_raw_private_key(ours.get(), reinterpret_cast<unsigned char*>(secret.data()), &size), 1);
    ASSERT_EQ(EVP_PKEY_get_raw_public_key(ours.get(), reinterpret_cast<unsigned char*>(open.data()), &size), 1);
    EXPECT_EQ(secret.front() & std::byte{7}, std::byte{0});
    EXPECT_EQ(secret.back() & std::byte{0xc0}, std::byte{0x40});
    ASSERT_EQ(to_hex(openssl_public_key(secret)), to_hex(open));
  }
}

TEST(X25519, AHandshakesKeyShareIsMadeByOurProvider) {
  SslCtx context(SSL_CTX_new_ex(tls_library(), nullptr, TLS_client_method()));
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
  Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new_from_name(tls_library(), "X25519", nullptr));
  ASSERT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_group_name(context.get(), "X25519"), 1);
  EXPECT_NE(EVP_PKEY_CTX_set_group_name(context.get(), "x448"), 1);
}

}  // namespace
}  // namespace waylay::tls::testing
