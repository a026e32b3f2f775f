#include "tls/provider.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <set>
#include <string>
#include <vector>

#include "tls/openssl.h"

namespace waylay::tls::testing {
namespace {

std::vector<std::string> ciphers_of(OSSL_LIB_CTX* library) {
  SslCtx context(SSL_CTX_new_ex(library, nullptr, TLS_client_method()));
  std::vector<std::string> names;
  const STACK_OF(SSL_CIPHER)* ciphers = SSL_CTX_get_ciphers(context.get());
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i)
    names.push_back(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, i)));
  return names;
}

// The bytes of a ClientHello but for what is random in it, which has the same length each time.
size_t hello_size(OSSL_LIB_CTX* library) {
  SslCtx context(SSL_CTX_new_ex(library, nullptr, TLS_client_method()));
  Ssl client(SSL_new(context.get()));
  BIO* sent = BIO_new(BIO_s_mem());
  SSL_set_bio(client.get(), BIO_new(BIO_s_mem()), sent);
  SSL_set_connect_state(client.get());
  SSL_do_handshake(client.get());
  return BIO_ctrl_pending(sent);
}

TEST(Provider, OffersTheSuitesAndGroupsThatOpenSslDoes) {
  ASSERT_NE(tls_library(), nullptr);
  EXPECT_GT(ciphers_of(nullptr).size(), 20U);
  EXPECT_EQ(ciphers_of(tls_library()), ciphers_of(nullptr));
  EXPECT_EQ(hello_size(tls_library()), hello_size(nullptr));
}

// What fetches of all names of an operation find.
template <class Method>
std::set<std::string> names_of(void (*each)(OSSL_LIB_CTX*, void (*)(Method*, void*), void*),
                               const char* (*name)(const Method*), OSSL_LIB_CTX* library) {
  struct Found {
    std::set<std::string> names;
    const char* (*name)(const Method*);
  } found{{}, name};
  each(
      library,
      [](Method* method, void* argument) {
        auto* into = static_cast<Found*>(argument);
        into->names.insert(into->name(method));
      },
      &found);
  return found.names;
}

TEST(Provider, HasTheSignaturesDigestsAndAgreementsThatOpenSslHas) {
  OSSL_LIB_CTX* ours = tls_library();
  auto signatures = [](OSSL_LIB_CTX* library) {
    return names_of<EVP_SIGNATURE>(EVP_SIGNATURE_do_all_provided, EVP_SIGNATURE_get0_name, library);
  };
  auto digests = [](OSSL_LIB_CTX* library) {
    return names_of<EVP_MD>(EVP_MD_do_all_provided, EVP_MD_get0_name, library);
  };
  auto agreements = [](OSSL_LIB_CTX* library) {
    return names_of<EVP_KEYEXCH>(EVP_KEYEXCH_do_all_provided, EVP_KEYEXCH_get0_name, library);
  };
  EXPECT_EQ(signatures(ours), signatures(nullptr));
  EXPECT_EQ(digests(ours), digests(nullptr));
  EXPECT_EQ(agreements(ours), agreements(nullptr));
  auto key_kinds = [](OSSL_LIB_CTX* library) {
    return names_of<EVP_KEYMGMT>(EVP_KEYMGMT_do_all_provided, EVP_KEYMGMT_get0_name, library);
  };
  std::set<std::string> missing = key_kinds(nullptr);
  for (const std::string& kind : key_kinds(ours)) EXPECT_EQ(missing.erase(kind), 1U) << kind;
  EXPECT_EQ(missing, (std::set<std::string>{"CMAC", "HKDF", "POLY1305", "SCRYPT", "SIPHASH", "TLS1-PRF"}));
}

std::vector<unsigned char> certificate_with(EVP_PKEY* key, EVP_PKEY* signer) {
  Certificate certificate(X509_new());
  X509_set_pubkey(certificate.get(), key);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  EXPECT_GT(X509_sign(certificate.get(), signer, EVP_sha256()), 0);
  std::vector<unsigned char> der(static_cast<size_t>(i2d_X509(certificate.get(), nullptr)));
  unsigned char* out = der.data();
  i2d_X509(certificate.get(), &out);
  return der;
}

// d2i_X509 as libssl calls it for what an upstream shows.
TEST(Provider, ReadsACertificatesKeyOfEachKind) {
  PrivateKey signer(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const std::vector<PrivateKey> keys = [] {
    std::vector<PrivateKey> made;
    for (const char* kind : {"X25519", "X448", "ED25519", "ED448", "SM2"})
      made.emplace_back(EVP_PKEY_Q_keygen(nullptr, nullptr, kind));
    for (const char* curve : {"P-256", "P-384", "P-521", "secp256k1"})
      made.emplace_back(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve));
    made.emplace_back(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{2048}));
    return made;
  }();
  for (const PrivateKey& key : keys) {
    std::vector<unsigned char> der = certificate_with(key.get(), signer.get());
    X509* certificate = X509_new_ex(tls_library(), nullptr);
    const unsigned char* in = der.data();
    ASSERT_NE(d2i_X509(&certificate, &in, static_cast<long>(der.size())), nullptr);
    Certificate owner(certificate);
    EVP_PKEY* read = X509_get0_pubkey(certificate);
    ASSERT_NE(read, nullptr) << EVP_PKEY_get0_type_name(key.get());
    EXPECT_EQ(EVP_PKEY_eq(read, key.get()), 1) << EVP_PKEY_get0_type_name(key.get());
    EXPECT_STREQ(OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(read)), "waylay");
    EXPECT_EQ(X509_verify(certificate, signer.get()), 1);
  }
}

}  // namespace
}  // namespace waylay::tls::testing
