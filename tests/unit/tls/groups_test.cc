#include "tls/groups.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "tls/client_hello.h"
#include "unit/tls/hello_bytes.h"

namespace waylay::tls::testing {
namespace {

constexpr int kX25519MlKem768 = 0x11ec, kX25519 = 29, kP256 = 23;

bool openssl_has_the_hybrid() {
  SslCtx context(SSL_CTX_new(TLS_method()));
  const char* const only[] = {"X25519MLKEM768"};
  return set_groups(context.get(), only);
}

// The group of a handshake with a client that offers these.
int agreed(const char* offered) {
  ClientSide side;
  SslCtx context = client_context(side.ca_pem, TLS1_3_VERSION);
  std::string groups(offered);
  EXPECT_EQ(SSL_CTX_set1_groups_list(context.get(), groups.data()), 1) << offered;
  End client, server;
  server.channel = *side.context.accept(*side.example, "", "scope", &server.output);
  client.channel = plain_client(context.get(), "example.org", &client.output);
  SSL* ssl = ssl_of_last_plain_peer();
  client.channel->start();
  converse(client, server);
  EXPECT_TRUE(both_open(client, server)) << client.channel->error().message;
  return SSL_get_negotiated_group(ssl) & 0xffff;
}

TEST(Groups, FallBackToTheNextListAndLeaveNoErrorBehind) {
  SslCtx context(SSL_CTX_new(TLS_method()));
  const char* const lists[] = {"ANewGroup:X25519", "P-256"};
  EXPECT_TRUE(set_groups(context.get(), lists));
  EXPECT_EQ(ERR_peek_error(), 0u);
  const char* const unknown[] = {"ANewGroup", "AnotherNewGroup"};
  EXPECT_FALSE(set_groups(context.get(), unknown));
  EXPECT_NE(ERR_peek_error(), 0u);
  ERR_clear_error();
}

TEST(Groups, OfClientsAreTakenInOurOrder) {
  EXPECT_EQ(agreed("P-256"), NID_X9_62_prime256v1 & 0xffff);
  EXPECT_EQ(agreed("P-384:X25519"), NID_secp384r1) << "its share is there already: another group is a round trip more";
  if (openssl_has_the_hybrid()) EXPECT_NE(agreed("X25519MLKEM768:X25519"), NID_X25519);
}

TEST(Groups, OfferedToUpstreamsBeginWithTheBestThatOpensslHas) {
  UpstreamContext upstream = std::move(*UpstreamContext::create(UpstreamOptions{}));
  ByteQueue output;
  Channel channel = std::move(*upstream.connect({"example.org", "scope", {}}, &output));
  channel.start();
  Result<std::optional<ClientHello>> hello = parse_client_hello(output.bytes());
  ASSERT_TRUE(hello && *hello);
  const std::vector<uint16_t>& groups = (**hello).groups;
  ASSERT_GE(groups.size(), 3u);
  EXPECT_EQ(groups[0], openssl_has_the_hybrid() ? kX25519MlKem768 : kX25519);
  EXPECT_NE(std::ranges::find(groups, kP256), groups.end());
}

}  // namespace
}  // namespace waylay::tls::testing
