#include "tls/client_policy.h"

#include <gtest/gtest.h>

#include "tls/client_hello.h"
#include "unit/tls/hello_bytes.h"

namespace waylay::tls::testing {
namespace {

constexpr uint16_t kEcdsaSuite = 0xc02b, kRsaSuite = 0xc02f;
constexpr uint16_t kEcdsaSha256 = 0x0403, kEcdsaSha384 = 0x0503, kRsaSha256 = 0x0401, kPssSha256 = 0x0804,
                   kEd25519 = 0x0807;

ClientHello tls12(std::vector<uint16_t> ciphers, std::vector<uint16_t> algorithms,
                  std::vector<uint16_t> groups = {23}) {
  ClientHello hello;
  hello.tls12 = true;
  hello.ciphers = std::move(ciphers);
  hello.signature_algorithms = std::move(algorithms);
  hello.groups = std::move(groups);
  return hello;
}

ClientHello tls13(std::vector<uint16_t> algorithms) {
  ClientHello hello = tls12({0x1301, kRsaSuite}, std::move(algorithms));
  hello.tls13 = true;
  return hello;
}

LeafKey automatic(const ClientHello& hello) {
  return leaf_key_for(hello, LeafKeyPolicy::Auto);
}

TEST(LeafKey, IsP256ForWhoeverVerifiesIt) {
  EXPECT_EQ(automatic(tls13({kPssSha256, kEcdsaSha256})), LeafKey::P256);
  EXPECT_EQ(automatic(tls12({kRsaSuite, kEcdsaSuite}, {kRsaSha256, kEcdsaSha256})), LeafKey::P256);
  EXPECT_EQ(automatic(tls12({kEcdsaSuite}, {kEcdsaSha384})), LeafKey::P256) << "in TLS 1.2 the digest says no curve";
  EXPECT_EQ(automatic(tls12({kEcdsaSuite}, {kEcdsaSha256}, {})), LeafKey::P256) << "no list of curves: any";
}

TEST(LeafKey, IsRsaForClientsThatKnowNothingElse) {
  EXPECT_EQ(automatic(tls13({kPssSha256, kRsaSha256})), LeafKey::Rsa2048);
  EXPECT_EQ(automatic(tls13({kPssSha256, kEcdsaSha384})), LeafKey::Rsa2048) << "in TLS 1.3 that is P-384";
  EXPECT_EQ(automatic(tls12({kRsaSuite}, {kRsaSha256, kEcdsaSha256})), LeafKey::Rsa2048) << "no suite with ECDSA";
  EXPECT_EQ(automatic(tls12({kEcdsaSuite, kRsaSuite}, {kRsaSha256})), LeafKey::Rsa2048) << "no signature with ECDSA";
  EXPECT_EQ(automatic(tls12({kEcdsaSuite, kRsaSuite}, {kRsaSha256, kEcdsaSha256}, {29, 24})), LeafKey::Rsa2048)
      << "not this curve";
}

TEST(LeafKey, IsTheCheapOneForClientsThatCanDoNeither) {
  EXPECT_EQ(automatic(tls13({kEd25519})), LeafKey::P256);
  EXPECT_EQ(automatic(ClientHello()), LeafKey::P256);
}

TEST(LeafKey, IsWhatTheConfigurationSays) {
  EXPECT_EQ(leaf_key_for(tls13({kEcdsaSha256}), LeafKeyPolicy::Rsa2048), LeafKey::Rsa2048);
  EXPECT_EQ(leaf_key_for(tls13({kPssSha256}), LeafKeyPolicy::P256), LeafKey::P256);
}

TEST(LeafKey, OfAnOpensslClientIsP256) {
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION, 0}) {
    Result<std::optional<ClientHello>> hello = parse_client_hello(openssl_hello("example.org", {}, version));
    EXPECT_EQ(automatic(**hello), LeafKey::P256) << version;
  }
}

TEST(ClientPolicy, IsReadFromTheWordsThatItIsWrittenIn) {
  for (EchPolicy policy : {EchPolicy::Reject, EchPolicy::Passthrough})
    EXPECT_EQ(ech_policy_from(to_string(policy)), policy);
  for (LeafKeyPolicy policy : {LeafKeyPolicy::Auto, LeafKeyPolicy::P256, LeafKeyPolicy::Rsa2048})
    EXPECT_EQ(leaf_key_policy_from(to_string(policy)), policy);
  EXPECT_EQ(ech_policy_from("Reject"), std::nullopt);
  EXPECT_EQ(leaf_key_policy_from(""), std::nullopt);
}

}  // namespace
}  // namespace waylay::tls::testing
