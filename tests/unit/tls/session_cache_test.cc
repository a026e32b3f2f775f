#include "tls/session_cache.h"

#include <gtest/gtest.h>

#include "unit/tls/support.h"

namespace waylay::tls::testing {
namespace {

std::vector<SslSession> collected;

int collect(SSL*, SSL_SESSION* session) {
  collected.emplace_back(session);
  return 1;
}

class SessionCacheTest : public ::testing::Test {
 protected:
  // Real sessions, of one TLS 1.3 connection to a server that gives two tickets.
  SessionCacheTest() {
    Identity identity = issue({.names = {"DNS:a.example"}, .until_days = 1}, nullptr);
    SslCtx server_side = server_context(identity, TLS1_3_VERSION), client_side = client_context("", TLS1_3_VERSION);
    SSL_CTX_sess_set_new_cb(client_side.get(), collect);
    End client, server;
    server.channel = plain_server(server_side.get(), &server.output);
    client.channel = plain_client(client_side.get(), "a.example", &client.output);
    client.channel->start();
    converse(client, server);
    EXPECT_EQ(collected.size(), 2U);
  }
  ~SessionCacheTest() override { collected.clear(); }

  static SslSession copy(size_t which) { return SslSession(SSL_SESSION_dup(collected.at(which).get())); }
  static int64_t made_s() { return SSL_SESSION_get_time(collected.at(0).get()); }
};

TEST_F(SessionCacheTest, HandsOutTheOldestOnceAndThenCopiesOfTheLast) {
  SessionCache cache;
  SslSession older = copy(0), newer = copy(1);
  SSL_SESSION* older_raw = older.get();
  cache.put("key", std::move(older));
  cache.put("key", std::move(newer));
  EXPECT_EQ(cache.take("key", made_s()).get(), older_raw);
  SslSession one = cache.take("key", made_s()), two = cache.take("key", made_s());
  ASSERT_TRUE(one && two);
  EXPECT_NE(one.get(), two.get());
}

TEST_F(SessionCacheTest, KnowsNothingOfOtherKeys) {
  SessionCache cache;
  cache.put("key", copy(0));
  EXPECT_FALSE(cache.take("another", made_s()));
}

TEST_F(SessionCacheTest, ForgetsTheLeastRecentlyUsedKey) {
  SessionCache cache(2);
  cache.put("a", copy(0));
  cache.put("b", copy(0));
  EXPECT_TRUE(cache.take("a", made_s()));
  cache.put("c", copy(0));
  EXPECT_EQ(cache.keys(), 2U);
  EXPECT_FALSE(cache.take("b", made_s()));
  EXPECT_TRUE(cache.take("a", made_s()));
  EXPECT_TRUE(cache.take("c", made_s()));
}

TEST_F(SessionCacheTest, DoesNotHandOutWhatHasExpired) {
  SessionCache cache;
  SSL_SESSION_set_timeout(collected.at(0).get(), 60);
  cache.put("key", copy(0));
  EXPECT_TRUE(cache.take("key", made_s() + 59));
  EXPECT_FALSE(cache.take("key", made_s() + 60));
  EXPECT_EQ(cache.keys(), 0U);
}

TEST_F(SessionCacheTest, DoesNotHandOutWhatOutlivesItsCertificate) {
  SessionCache cache;
  SSL_SESSION_set_timeout(collected.at(0).get(), 30 * kDay_s);
  cache.put("key", copy(0));
  EXPECT_FALSE(cache.take("key", made_s() + kDay_s + 1));
}

}  // namespace
}  // namespace waylay::tls::testing
