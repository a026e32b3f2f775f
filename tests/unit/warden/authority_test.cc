#include "warden/authority.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace waylay::warden {
namespace {

Time at(int64_t steady_ns) {
  return {steady_ns + 1, 1'700'000'000 * kSecond_ns};
}

struct State {
  State() { EXPECT_NE(::mkdtemp(configuration.state_directory.data()), nullptr); }
  ~State() { std::filesystem::remove_all(configuration.state_directory); }
  std::string path(const char* name) const { return configuration.state_directory + "/" + name; }
  Configuration configuration{.state_directory = "/tmp/warden-state-XXXXXX"};
};

TEST(Authority, IsMadeAtFirstStartAndFoundAtTheNext) {
  State state;
  Result<Authority> first = Authority::open(state.configuration, at(0));
  ASSERT_TRUE(first) << first.error().message;
  struct stat key{};
  ASSERT_EQ(::stat(state.path("ca.key").c_str(), &key), 0);
  EXPECT_EQ(key.st_mode & 07777, 0600u);
  Result<Authority> second = Authority::open(state.configuration, at(0));
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(first->certificate_pem(), second->certificate_pem());
  EXPECT_TRUE(second->sign(as_bytes("to be signed"), at(0)));
}

TEST(Authority, DoesNotMakeANewOneWhenHalfOfItIsMissing) {
  State state;
  ASSERT_TRUE(Authority::open(state.configuration, at(0)));
  ::unlink(state.path("ca.key").c_str());
  Result<Authority> half = Authority::open(state.configuration, at(0));
  ASSERT_FALSE(half);
  EXPECT_EQ(half.error().message, "loading the CA: there is " + state.path("ca.crt") + " but no " +
                                      state.path("ca.key") + "; restore it, or remove both to have a new CA made");
}

TEST(Authority, UsesTheConfiguredOne) {
  State made, other;
  ASSERT_TRUE(Authority::open(made.configuration, at(0)));
  other.configuration.ca_certificate = made.path("ca.crt");
  other.configuration.ca_key = made.path("ca.key");
  Result<Authority> authority = Authority::open(other.configuration, at(0));
  ASSERT_TRUE(authority) << authority.error().message;
  EXPECT_FALSE(std::filesystem::exists(other.path("ca.key")));
  std::ofstream(made.path("ca.key")) << "damaged";
  EXPECT_FALSE(Authority::open(other.configuration, at(0)));
}

TEST(Authority, RefusesSignaturesBeyondItsLimitAndRecovers) {
  State state;
  Result<Authority> authority = Authority::open(state.configuration, at(0));
  ASSERT_TRUE(authority);
  SignatureLimit limit;
  for (int i = 0; i < static_cast<int>(limit.burst); ++i) ASSERT_TRUE(authority->sign(as_bytes("x"), at(0)));
  Result<std::vector<std::byte>> refused = authority->sign(as_bytes("x"), at(0));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Limit);
  EXPECT_TRUE(authority->sign(as_bytes("x"), at(kSecond_ns)));
}

TEST(TokenBucket, RefillsSteadilyUpToItsBurst) {
  TokenBucket bucket({.burst = 2, .per_second = 1});
  EXPECT_TRUE(bucket.take(at(0)));
  EXPECT_TRUE(bucket.take(at(0)));
  EXPECT_FALSE(bucket.take(at(0)));
  EXPECT_FALSE(bucket.take(at(kSecond_ns / 2)));
  EXPECT_TRUE(bucket.take(at(kSecond_ns)));
  EXPECT_TRUE(bucket.take(at(100 * kSecond_ns)));
  EXPECT_TRUE(bucket.take(at(100 * kSecond_ns)));
  EXPECT_FALSE(bucket.take(at(100 * kSecond_ns)));
}

}  // namespace
}  // namespace waylay::warden
