// The redirect against the real kernel: who arrives where, what is known of them, who is left alone.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "base/check.h"
#include "kernel/support.h"

namespace waylay::kernel::testing {
namespace {

// A client that is redirected: its words after we greeted it.
struct Visit {
  std::unique_ptr<Client> client;
  Accepted accepted;
  std::string said;
};

class Redirecting : public RedirectTest {
 protected:
  Visit visit(const Plan& plan, const Cgroup* from = nullptr) {
    Visit visit;
    visit.client = connecting_client(from ? *from : cgroup_, net_, plan);
    visit.client->talk().say("go");
    bool v4 = plan.to[0] != '[';
    visit.accepted = accept_one(v4 ? listeners_.v4[0] : listeners_.v6[0]);
    EXPECT_TRUE(visit.accepted.fd) << "nobody arrived from " << plan.to << ": " << visit.client->talk().hear();
    if (!visit.accepted.fd) return visit;
    greet(visit.accepted);
    visit.said = visit.client->talk().hear();
    return visit;
  }
};

TEST_F(Redirecting, TakesAnIpv4ConnectionInANamespaceWithoutRoutes) {
  auto redirect = attach();
  Visit one = visit({.to = "192.0.2.7:443"});
  EXPECT_EQ(one.said, "peer=192.0.2.7:443 greeting=waylay");
  EXPECT_EQ(one.accepted.peer.ip_text(), "127.0.0.1");
}

TEST_F(Redirecting, TakesAnIpv6ConnectionInANamespaceWithoutRoutes) {
  auto redirect = attach();
  Visit one = visit({.to = "[2001:db8::7]:443"});
  EXPECT_EQ(one.said, "peer=[2001:db8::7]:443 greeting=waylay");
  std::optional<Origin> origin = origin_of(one.accepted);
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->destination.to_string(), "[2001:db8::7]:443");
  EXPECT_FALSE(origin->v4_mapped);
}

TEST_F(Redirecting, TakesAnIpv4MappedConnectionAsIpv4) {
  auto redirect = attach();
  Visit one = visit({.to = "192.0.2.7:443", .v4_mapped = true});
  EXPECT_EQ(one.said, "peer=[::ffff:192.0.2.7]:443 greeting=waylay");
  std::optional<Origin> origin = origin_of(one.accepted);
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->destination.to_string(), "192.0.2.7:443");
  EXPECT_TRUE(origin->v4_mapped);
}

TEST_F(Redirecting, TakesAnMptcpConnection) {
  auto redirect = attach();
  Visit one = visit({.to = "192.0.2.7:443", .protocol = 262});
  EXPECT_TRUE(origin_of(one.accepted));
  EXPECT_NE(one.said.find("greeting=waylay"), std::string::npos) << one.said;
}

TEST_F(Redirecting, TakesAConnectionThatBeginsWithItsFirstBytes) {
  auto redirect = attach();
  Client client(cgroup_, net_, [](Talk& talk) {
    Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage name{};
    socklen_t size = Address::parse("192.0.2.7:443")->to_sockaddr(name);
    ssize_t sent = sendto(socket.get(), "x", 1, MSG_FASTOPEN, reinterpret_cast<sockaddr*>(&name), size);
    talk.say(sent == 1 ? "sent" : strerrorname_np(errno));
    talk.hear();
  });
  Accepted accepted = accept_one(listeners_.v4[0]);
  EXPECT_EQ(client.talk().hear(), "sent");
  std::optional<Origin> origin = origin_of(accepted);
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->destination.to_string(), "192.0.2.7:443");
}

TEST_F(Redirecting, KnowsWhoConnectedUntilTheSocketCloses) {
  auto redirect = attach();
  Client client(cgroup_, net_, [](Talk& talk) {
    prctl(PR_SET_NAME, "the-job");
    CHECK(setresgid(1234, 1234, 1234) == 0 && setresuid(4321, 4321, 4321) == 0);
    Fd socket;
    talk.say(connect_and_describe({.to = "192.0.2.7:443"}, &socket));
    talk.hear();
    socket.reset();
    talk.say("closed");
    talk.hear();
  });
  Accepted accepted = accept_one(listeners_.v4[0]);
  std::optional<Origin> origin = origin_of(accepted);
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->destination.to_string(), "192.0.2.7:443");
  EXPECT_EQ(origin->target, 1u);
  EXPECT_EQ(origin->pid, client.pid());
  EXPECT_EQ(origin->tid, client.pid());
  EXPECT_EQ(origin->uid, 4321u);
  EXPECT_EQ(origin->gid, 1234u);
  EXPECT_EQ(origin->comm, "the-job");
  EXPECT_EQ(origin->cgroup_id, cgroup_.id());
  EXPECT_GT(origin->start_steady_ns, 0);
  greet(accepted);
  client.talk().hear();
  client.talk().say("close");
  ASSERT_EQ(client.talk().hear(), "closed");
  accepted.fd.reset();
  EXPECT_TRUE(eventually([&] { return !origin_of(accepted); }));
}

TEST_F(Redirecting, TakesConnectionsThatHaveARoute) {
  connect_to_origin();
  ASSERT_EQ(direct({.to = "10.77.0.2:443"}), "peer=10.77.0.2:443 greeting=origin");
  ASSERT_EQ(direct({.to = "[fd77::2]:443"}), "peer=[fd77::2]:443 greeting=origin");
  auto redirect = attach();
  for (const char* to : {"10.77.0.2:443", "[fd77::2]:443"}) {
    Visit one = visit({.to = to});
    EXPECT_EQ(one.said, std::string("peer=") + to + " greeting=waylay");
    std::optional<Origin> origin = origin_of(one.accepted);
    ASSERT_TRUE(origin) << to;
    EXPECT_EQ(origin->destination.to_string(), to);
  }
}

TEST_F(Redirecting, TakesASocketBoundToASourceAddress) {
  connect_to_origin();
  auto redirect = attach();
  for (auto [to, source] : {std::pair{"10.77.0.2:443", "10.77.0.1"}, std::pair{"[fd77::2]:443", "fd77::1"}}) {
    Visit one = visit({.to = to, .source = source});
    EXPECT_EQ(one.accepted.peer.ip_text(), source);
    std::optional<Origin> origin = origin_of(one.accepted);
    ASSERT_TRUE(origin) << to;
    EXPECT_EQ(origin->destination.to_string(), to);
  }
}

TEST_F(Redirecting, LeavesOtherPortsAndOtherCgroupsAlone) {
  connect_to_origin();
  Cgroup other("b");
  auto redirect = attach();
  EXPECT_EQ(direct({.to = "10.77.0.2:8443"}), "peer=10.77.0.2:8443 greeting=origin");
  EXPECT_EQ(direct({.to = "10.77.0.2:443"}, &other), "peer=10.77.0.2:443 greeting=origin");
  EXPECT_EQ(redirect->counters()->seen, 0u);
}

TEST_F(Redirecting, TakesEveryPortOfTheSet) {
  RedirectConfig both = config();
  both.ports = {443, 8443};
  auto redirect = attach(both);
  EXPECT_EQ(visit({.to = "192.0.2.7:8443"}).said, "peer=192.0.2.7:8443 greeting=waylay");
  EXPECT_EQ(visit({.to = "192.0.2.7:443"}).said, "peer=192.0.2.7:443 greeting=waylay");
}

TEST_F(Redirecting, TakesProcessesInCgroupsBelow) {
  Cgroup below("inner", &cgroup_);
  auto redirect = attach();
  Visit one = visit({.to = "192.0.2.7:443"}, &below);
  std::optional<Origin> origin = origin_of(one.accepted);
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->cgroup_id, below.id());
}

TEST_F(Redirecting, LeavesProcessesOfTheCgroupInAnotherNamespaceAlone) {
  Namespace elsewhere;
  auto redirect = attach();
  auto client = connecting_client(cgroup_, elsewhere, {.to = "192.0.2.7:443"});
  client->talk().say("go");
  EXPECT_EQ(client->talk().hear(), "ENETUNREACH")
      << "refused would mean that it was sent to a loopback without listener";
  EXPECT_EQ(redirect->counters()->bypassed_other_netns, 1u);
  EXPECT_EQ(redirect->counters()->redirected, 0u);
}

TEST_F(Redirecting, LeavesASocketBoundToADeviceAloneAndCountsIt) {
  connect_to_origin();
  auto redirect = attach();
  EXPECT_EQ(direct({.to = "10.77.0.2:443", .device = "veth0"}), "peer=10.77.0.2:443 greeting=origin");
  EXPECT_EQ(redirect->counters()->seen, 1u);
  EXPECT_EQ(redirect->counters()->bypassed_device, 1u);
  EXPECT_EQ(redirect->counters()->redirected, 0u);
}

TEST_F(Redirecting, LeavesExcludedProcessesAlone) {
  connect_to_origin();
  Plan plan{.to = "10.77.0.2:443"};
  auto client = connecting_client(cgroup_, net_, plan);
  RedirectConfig excluding = config();
  excluding.excluded = {1, client->pid()};
  auto redirect = attach(excluding);
  client->talk().say("go");
  EXPECT_EQ(client->talk().hear(), "peer=10.77.0.2:443 greeting=origin");
  EXPECT_EQ(redirect->counters()->bypassed_excluded_process, 1u);
  EXPECT_EQ(visit(plan).said, "peer=10.77.0.2:443 greeting=waylay");
}

TEST_F(Redirecting, TakesOnlyTheProcessAskedForWithItsThreads) {
  connect_to_origin();
  Client client(cgroup_, net_, [](Talk& talk) {
    talk.hear();
    std::thread([&] { talk.say(connect_and_describe({.to = "10.77.0.2:443"})); }).join();
    talk.hear();
  });
  RedirectConfig one_process = config();
  one_process.only_pid = client.pid();
  auto redirect = attach(one_process);
  EXPECT_EQ(direct({.to = "10.77.0.2:443"}), "peer=10.77.0.2:443 greeting=origin");
  EXPECT_EQ(redirect->counters()->not_target_process, 1u);
  client.talk().say("go");
  Accepted accepted = accept_one(listeners_.v4[0]);
  std::optional<Origin> origin = origin_of(accepted);
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->pid, client.pid());
  EXPECT_NE(origin->tid, client.pid());
  greet(accepted);
  EXPECT_EQ(client.talk().hear(), "peer=10.77.0.2:443 greeting=waylay");
}

// A process that forks a child, which forks a grandchild, which connects when the process is told to go.
void connect_from_grandchild(Talk& talk) {
  talk.hear();
  Child child([&](Talk&) {
    Child grandchild([&](Talk&) { talk.say(connect_and_describe({.to = "10.77.0.2:443"})); });
    grandchild.wait();
  });
  child.wait();
}

TEST_F(Redirecting, TakesDescendantsOnlyWithTheTreeOption) {
  connect_to_origin();
  for (bool tree : {false, true}) {
    Client client(cgroup_, net_, connect_from_grandchild);
    RedirectConfig one_process = config();
    one_process.only_pid = client.pid();
    one_process.tree = tree;
    auto redirect = attach(one_process);
    EXPECT_EQ(direct({.to = "10.77.0.2:443"}), "peer=10.77.0.2:443 greeting=origin") << "not a descendant";
    client.talk().say("go");
    if (tree) greet(accept_one(listeners_.v4[0]));
    EXPECT_EQ(client.talk().hear(), std::string("peer=10.77.0.2:443 greeting=") + (tree ? "waylay" : "origin"));
  }
}

TEST_F(Redirecting, KeepsDescendantsWhoseParentsHaveEnded) {
  connect_to_origin();
  int grandchild_hears[2];
  CHECK(pipe2(grandchild_hears, O_CLOEXEC) == 0);
  // The child is there before the attach, the grandchild comes after it; then the child ends.
  Client client(cgroup_, net_, [&](Talk& talk) {
    Child child([&](Talk& own) {
      own.hear();
      if (fork() != 0) _exit(0);
      char byte = 0;
      CHECK(read(grandchild_hears[0], &byte, 1) == 1);
      talk.say(connect_and_describe({.to = "10.77.0.2:443"}));
      _exit(0);
    });
    talk.hear();
    child.talk().say("fork");
    child.wait();
    talk.say("orphaned");
    talk.hear();
  });
  RedirectConfig one_process = config();
  one_process.only_pid = client.pid();
  one_process.tree = true;
  auto redirect = attach(one_process);
  EXPECT_EQ(redirect->tree().size(), 2u) << "the process and its child";
  client.talk().say("go");
  ASSERT_EQ(client.talk().hear(), "orphaned");
  EXPECT_TRUE(eventually([&] { return redirect->tree().size() == 2; })) << "the process and its grandchild";
  ASSERT_EQ(write(grandchild_hears[1], "x", 1), 1);
  greet(accept_one(listeners_.v4[0]));
  EXPECT_EQ(client.talk().hear(), "peer=10.77.0.2:443 greeting=waylay");
  client.kill_now();
  EXPECT_TRUE(eventually([&] { return redirect->tree().empty(); }));
}

TEST_F(Redirecting, LeavesAFamilyAloneThatIsOffUntilItIsOn) {
  connect_to_origin(false);
  ASSERT_EQ(*read_routes(net_.fd()), (RouteState{.v4 = true, .v6 = false}));
  Families families = families_to_redirect(*read_routes(net_.fd()));
  RedirectConfig as_routed = config();
  as_routed.v4 = families.v4;
  as_routed.v6 = families.v6;
  ASSERT_EQ(direct({.to = "[2001:db8::7]:443"}), "ENETUNREACH");
  auto redirect = attach(as_routed);
  EXPECT_EQ(direct({.to = "[2001:db8::7]:443"}), "ENETUNREACH");
  EXPECT_EQ(redirect->counters()->bypassed_no_route, 1u);
  EXPECT_EQ(visit({.to = "10.77.0.2:443"}).said, "peer=10.77.0.2:443 greeting=waylay");
  redirect->set_families(true, true);
  EXPECT_EQ(visit({.to = "[2001:db8::7]:443"}).said, "peer=[2001:db8::7]:443 greeting=waylay");
  redirect->set_families(false, true);
  EXPECT_EQ(direct({.to = "10.77.0.2:443"}), "peer=10.77.0.2:443 greeting=origin");
}

TEST_F(Redirecting, LeavesTheTargetsOwnLoopbackAlone) {
  auto redirect = attach();
  EXPECT_EQ(direct({.to = "127.0.0.1:443"}), "ECONNREFUSED");
  EXPECT_EQ(direct({.to = "[::1]:443"}), "ECONNREFUSED");
  EXPECT_EQ(redirect->counters()->bypassed_loopback, 2u);
}

TEST_F(Redirecting, TakesLoopbackWhenAsked) {
  RedirectConfig with_loopback = config();
  with_loopback.redirect_loopback = true;
  auto redirect = attach(with_loopback);
  EXPECT_EQ(visit({.to = "127.0.0.1:443"}).said, "peer=127.0.0.1:443 greeting=waylay");
  EXPECT_EQ(visit({.to = "[::1]:443"}).said, "peer=[::1]:443 greeting=waylay");
}

TEST_F(Redirecting, CountsWhatItSaw) {
  auto redirect = attach();
  visit({.to = "192.0.2.7:443"});
  visit({.to = "[2001:db8::7]:443"});
  direct({.to = "127.0.0.1:443"});
  Result<TargetCounters> counters = read_counters(engine_->counters_fd(), 1);
  ASSERT_TRUE(counters);
  EXPECT_EQ(counters->seen, 3u);
  EXPECT_EQ(counters->redirected, 2u);
  EXPECT_EQ(counters->bypassed_loopback, 1u);
  EXPECT_EQ(counters->unlisted, 0u);
}

TEST_F(Redirecting, GivesTwoTargetsInOneNamespaceTheirOwnConnections) {
  Cgroup other("b");
  Listeners second = *open_listeners(net_.fd(), 1);
  RedirectConfig second_config = config();
  second_config.target = 2;
  second_config.cgroup_fd = other.fd();
  second_config.listener_port_v4 = second.port_v4;
  second_config.listener_port_v6 = second.port_v6;
  auto first_redirect = attach();
  auto second_redirect = attach(second_config);
  Plan plan{.to = "192.0.2.7:443"};
  auto client = connecting_client(other, net_, plan);
  client->talk().say("go");
  Accepted accepted = accept_one(second.v4[0]);
  std::optional<Origin> origin = origin_of(accepted, second.port_v4);
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->target, 2u);
  EXPECT_EQ(origin_of(accepted), std::nullopt) << "an entry under the other target's listener";
  EXPECT_EQ(origin_of(visit(plan).accepted)->target, 1u);
}

TEST_F(Redirecting, LetsTheInnermostOfNestedTargetsWin) {
  Cgroup inner("inner", &cgroup_);
  Listeners second = *open_listeners(net_.fd(), 1);
  RedirectConfig inner_config = config();
  inner_config.target = 2;
  inner_config.cgroup_fd = inner.fd();
  inner_config.listener_port_v4 = second.port_v4;
  auto inner_redirect = attach(inner_config);
  auto outer_redirect = attach();
  Plan plan{.to = "192.0.2.7:443"};
  auto client = connecting_client(inner, net_, plan);
  client->talk().say("go");
  Accepted accepted = accept_one(second.v4[0]);
  ASSERT_TRUE(accepted.fd);
  EXPECT_EQ(origin_of(accepted, second.port_v4)->target, 2u);
  greet(accepted);
  EXPECT_EQ(client->talk().hear(), "peer=192.0.2.7:443 greeting=waylay");
  EXPECT_EQ(outer_redirect->counters()->seen, 0u);
}

TEST_F(Redirecting, ForgetsWhatASocketWasWhenItIsConnectedAnew) {
  connect_to_origin();
  auto redirect = attach();
  Client client(cgroup_, net_, [](Talk& talk) {
    Fd socket;
    talk.say(connect_and_describe({.to = "10.77.0.2:443"}, &socket));
    sockaddr nowhere{};
    nowhere.sa_family = AF_UNSPEC;
    CHECK(connect(socket.get(), &nowhere, sizeof nowhere) == 0);
    fcntl(socket.get(), F_SETFL, 0);
    sockaddr_storage name{};
    socklen_t size = Address::parse("10.77.0.2:8443")->to_sockaddr(name);
    CHECK(connect(socket.get(), reinterpret_cast<sockaddr*>(&name), size) == 0);
    size = sizeof name;
    CHECK(getpeername(socket.get(), reinterpret_cast<sockaddr*>(&name), &size) == 0);
    talk.say(Address::from_sockaddr(name)->to_string());
  });
  Accepted accepted = accept_one(listeners_.v4[0]);
  greet(accepted);
  EXPECT_EQ(client.talk().hear(), "peer=10.77.0.2:443 greeting=waylay");
  EXPECT_EQ(client.talk().hear(), "10.77.0.2:8443");
  EXPECT_EQ(origin_of(accepted), std::nullopt);
}

TEST_F(Redirecting, CountsConnectionsOlderThanTheAttachAndLeavesThemAlone) {
  connect_to_origin();
  Client client(cgroup_, net_, [](Talk& talk) {
    Fd socket;
    talk.say(connect_and_describe({.to = "10.77.0.2:443"}, &socket));
    while (talk.hear() == "use it") talk.say(write(socket.get(), "x", 1) == 1 ? "used" : "failed");
  });
  ASSERT_EQ(client.talk().hear(), "peer=10.77.0.2:443 greeting=origin");
  auto redirect = attach();
  for (int use = 0; use < 3; ++use) {
    client.talk().say("use it");
    EXPECT_EQ(client.talk().hear(), "used");
  }
  EXPECT_EQ(redirect->counters()->bypassed_earlier, 1u);
  EXPECT_EQ(redirect->counters()->seen, 0u);
}

}  // namespace
}  // namespace waylay::kernel::testing
