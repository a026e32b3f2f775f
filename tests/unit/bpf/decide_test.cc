// The kernel's decision, asked in user space: the same inline functions that the hooks are made of.
#include "bpf/decide.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <ostream>

#include "base/address.h"

namespace waylay {
namespace {

constexpr uint32_t kBothFamilies = WAYLAY_FAMILY_V4 | WAYLAY_FAMILY_V6;

waylay_settings settings_for_443() {
  waylay_settings settings{};
  settings.target = 7;
  settings.netns_cookie = 5;
  settings.ports[0] = 443;
  settings.listener_port_v4 = 40004;
  settings.listener_port_v6 = 40006;
  return settings;
}

waylay_attempt attempt_to(const char* destination) {
  Address address = *Address::parse(destination);
  waylay_attempt attempt{};
  attempt.family = static_cast<uint8_t>(address.family);
  std::ranges::copy(address.ip, attempt.address);
  attempt.port = address.port;
  attempt.pid = 100;
  attempt.netns_cookie = 5;
  waylay_unmap(&attempt);
  return attempt;
}

waylay_counter decide(const waylay_settings& settings, const waylay_attempt& attempt,
                      uint32_t families = kBothFamilies) {
  return waylay_decide(&settings, families, &attempt);
}

TEST(Decide, RedirectsBothFamilies) {
  EXPECT_EQ(decide(settings_for_443(), attempt_to("192.0.2.1:443")), WAYLAY_REDIRECTED);
  EXPECT_EQ(decide(settings_for_443(), attempt_to("[2001:db8::1]:443")), WAYLAY_REDIRECTED);
}

TEST(Decide, LeavesOtherNetworkNamespacesAlone) {
  waylay_attempt elsewhere = attempt_to("192.0.2.1:443");
  elsewhere.netns_cookie = 6;
  EXPECT_EQ(decide(settings_for_443(), elsewhere), WAYLAY_BYPASSED_OTHER_NETNS);
}

TEST(Decide, WantsTheListedPortsOnly) {
  waylay_settings settings = settings_for_443();
  settings.ports[1] = 8443;
  EXPECT_TRUE(waylay_wants_port(&settings, 443));
  EXPECT_TRUE(waylay_wants_port(&settings, 8443));
  EXPECT_FALSE(waylay_wants_port(&settings, 80));
  EXPECT_FALSE(waylay_wants_port(&settings, 0));
}

TEST(Decide, WantsEveryPortOfAFullList) {
  waylay_settings settings = settings_for_443();
  for (int i = 0; i < WAYLAY_MAX_PORTS; ++i) settings.ports[i] = static_cast<uint16_t>(1000 + i);
  EXPECT_TRUE(waylay_wants_port(&settings, 1000 + WAYLAY_MAX_PORTS - 1));
  EXPECT_FALSE(waylay_wants_port(&settings, 1000 + WAYLAY_MAX_PORTS));
}

TEST(Decide, JudgesAnIpv4MappedAddressAsIpv4) {
  waylay_attempt attempt = attempt_to("[::ffff:192.0.2.1]:443");
  EXPECT_EQ(attempt.family, WAYLAY_IPV4);
  EXPECT_TRUE(attempt.v4_mapped);
  const uint8_t expected[16] = {192, 0, 2, 1};
  EXPECT_EQ(std::memcmp(attempt.address, expected, 16), 0);
  EXPECT_EQ(decide(settings_for_443(), attempt, WAYLAY_FAMILY_V4), WAYLAY_REDIRECTED);
  EXPECT_EQ(decide(settings_for_443(), attempt, WAYLAY_FAMILY_V6), WAYLAY_BYPASSED_NO_ROUTE);
}

TEST(Decide, LeavesOtherIpv6AddressesAsTheyAre) {
  for (const char* address : {"[2001:db8::ffff:1]:443", "[::fffe:1.2.3.4]:443", "[1::ffff:1.2.3.4]:443"}) {
    waylay_attempt attempt = attempt_to(address);
    EXPECT_EQ(attempt.family, WAYLAY_IPV6) << address;
    EXPECT_FALSE(attempt.v4_mapped) << address;
  }
}

TEST(Decide, LeavesTheTargetsOwnLoopbackAlone) {
  for (const char* address :
       {"127.0.0.1:443", "127.9.9.9:443", "0.0.0.0:443", "[::1]:443", "[::]:443", "[::ffff:127.0.0.1]:443"}) {
    EXPECT_EQ(decide(settings_for_443(), attempt_to(address)), WAYLAY_BYPASSED_LOOPBACK) << address;
  }
  EXPECT_EQ(decide(settings_for_443(), attempt_to("[::2]:443")), WAYLAY_REDIRECTED);
  EXPECT_EQ(decide(settings_for_443(), attempt_to("0.0.0.1:443")), WAYLAY_REDIRECTED);
}

TEST(Decide, RedirectsLoopbackWhenAsked) {
  waylay_settings settings = settings_for_443();
  settings.redirect_loopback = 1;
  EXPECT_EQ(decide(settings, attempt_to("127.0.0.1:443")), WAYLAY_REDIRECTED);
  EXPECT_EQ(decide(settings, attempt_to("[::1]:443")), WAYLAY_REDIRECTED);
}

TEST(Decide, LeavesLinkLocalAddressesAloneSinceTheirZoneIsUnknown) {
  EXPECT_EQ(decide(settings_for_443(), attempt_to("[fe80::1]:443")), WAYLAY_BYPASSED_LINK_LOCAL);
  EXPECT_EQ(decide(settings_for_443(), attempt_to("[febf::1]:443")), WAYLAY_BYPASSED_LINK_LOCAL);
  EXPECT_EQ(decide(settings_for_443(), attempt_to("[fec0::1]:443")), WAYLAY_REDIRECTED);
}

TEST(Decide, LeavesASocketBoundToADeviceAlone) {
  waylay_attempt attempt = attempt_to("192.0.2.1:443");
  attempt.bound_device = 3;
  EXPECT_EQ(decide(settings_for_443(), attempt), WAYLAY_BYPASSED_DEVICE);
}

TEST(Decide, LeavesAFamilyAloneThatIsOffOrHasNoListener) {
  EXPECT_EQ(decide(settings_for_443(), attempt_to("192.0.2.1:443"), WAYLAY_FAMILY_V6), WAYLAY_BYPASSED_NO_ROUTE);
  EXPECT_EQ(decide(settings_for_443(), attempt_to("[2001:db8::1]:443"), WAYLAY_FAMILY_V4), WAYLAY_BYPASSED_NO_ROUTE);
  waylay_settings settings = settings_for_443();
  settings.listener_port_v6 = 0;
  EXPECT_EQ(decide(settings, attempt_to("[2001:db8::1]:443")), WAYLAY_BYPASSED_NO_ROUTE);
}

TEST(Decide, ExcludesTheDaemonsProcesses) {
  waylay_settings settings = settings_for_443();
  settings.excluded[0] = 99;
  settings.excluded[1] = 100;
  EXPECT_EQ(decide(settings, attempt_to("192.0.2.1:443")), WAYLAY_BYPASSED_EXCLUDED_PROCESS);
  settings.excluded[1] = 101;
  EXPECT_EQ(decide(settings, attempt_to("192.0.2.1:443")), WAYLAY_REDIRECTED);
}

TEST(Decide, TakesOnlyTheProcessAskedFor) {
  waylay_settings settings = settings_for_443();
  settings.only_pid = 100;
  EXPECT_EQ(decide(settings, attempt_to("192.0.2.1:443")), WAYLAY_REDIRECTED);
  settings.only_pid = 50;
  EXPECT_EQ(decide(settings, attempt_to("192.0.2.1:443")), WAYLAY_NOT_TARGET_PROCESS);
}

TEST(Decide, TakesATreesMembersOnlyWithTheTreeOption) {
  waylay_settings settings = settings_for_443();
  settings.only_pid = 50;
  waylay_attempt attempt = attempt_to("192.0.2.1:443");
  attempt.in_tree = true;
  EXPECT_EQ(decide(settings, attempt), WAYLAY_NOT_TARGET_PROCESS);
  settings.tree = 1;
  EXPECT_EQ(decide(settings, attempt), WAYLAY_REDIRECTED);
  attempt.in_tree = false;
  EXPECT_EQ(decide(settings, attempt), WAYLAY_NOT_TARGET_PROCESS);
}

TEST(Decide, DoesNotTakeSomebodyElseWhoGotTheNumberOfATreesFirstProcess) {
  waylay_settings settings = settings_for_443();
  settings.only_pid = 100;
  settings.tree = 1;
  EXPECT_EQ(decide(settings, attempt_to("192.0.2.1:443")), WAYLAY_NOT_TARGET_PROCESS);
}

TEST(Decide, NeverCountsAnotherProcessAsBypassed) {
  waylay_settings settings = settings_for_443();
  settings.only_pid = 50;
  waylay_attempt attempt = attempt_to("127.0.0.1:443");
  attempt.bound_device = 3;
  EXPECT_EQ(decide(settings, attempt), WAYLAY_NOT_TARGET_PROCESS);
}

}  // namespace
}  // namespace waylay
