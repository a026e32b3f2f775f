#include "tls/client_identity.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "unit/tls/support.h"

namespace waylay::tls::testing {
namespace {

std::string key_pem(const Identity& identity, const char* passphrase = nullptr) {
  Handle<BIO, BIO_free_all> bio(BIO_new(BIO_s_mem()));
  const EVP_CIPHER* cipher = passphrase == nullptr ? nullptr : EVP_aes_128_cbc();
  PEM_write_bio_PKCS8PrivateKey(bio.get(), identity.key.get(), cipher, passphrase, passphrase == nullptr ? 0 : 1,
                                nullptr, nullptr);
  const char* data = nullptr;
  long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

std::string mistake(const std::vector<std::string>& hosts, const std::string& certificate, const std::string& key) {
  Result<ClientIdentity> loaded = ClientIdentity::load(hosts, certificate, key);
  return loaded ? "" : loaded.error().message;
}

TEST(ClientIdentity, IsForItsHostsAndForNamesBelowAWildcard) {
  Identity us = issue({.common_name = "us"}, nullptr);
  Result<ClientIdentity> loaded =
      ClientIdentity::load({"API.example", "*.internal.example", "192.0.2.1"}, pem_of(us), key_pem(us));
  ASSERT_TRUE(loaded) << loaded.error().message;
  for (std::string host : {"api.example", "a.internal.example", "a.b.internal.example", "192.0.2.1"})
    EXPECT_TRUE(loaded->is_for(host)) << host;
  for (std::string host :
       {"internal.example", "xinternal.example", "b.api.example", "example", "192.0.2.11", ".internal.example"})
    EXPECT_FALSE(loaded->is_for(host)) << host;
}

TEST(ClientIdentity, HasTheChainOfItsFile) {
  Identity root = make_root("Root"), us = issue({.common_name = "us"}, &root);
  Result<ClientIdentity> loaded = ClientIdentity::load({"a.example"}, pem_of(us) + pem_of(root), key_pem(us));
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->chain.size(), 1u);
}

TEST(ClientIdentity, SaysWhatIsWrongWithItsFiles) {
  Identity us = issue({.common_name = "us"}, nullptr), other = issue({.common_name = "other"}, nullptr);
  EXPECT_EQ(mistake({"a"}, "", key_pem(us)), "no certificate in PEM");
  EXPECT_NE(mistake({"a"}, pem_of(us), key_pem(other)).find("the private key is not the certificate's"),
            std::string::npos);
  EXPECT_NE(mistake({"a"}, pem_of(us), key_pem(us, "secret")).find("without a passphrase"), std::string::npos);
  for (std::string host : {"", "*", "*.", "a*.example", "*.192.0.2.1", "a b"})
    EXPECT_NE(mistake({host}, pem_of(us), key_pem(us)).find("is neither a host nor *.HOST"), std::string::npos) << host;
}

}  // namespace
}  // namespace waylay::tls::testing
