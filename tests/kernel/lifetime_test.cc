// How a redirect ends, what it leaves, and what it does under load.
#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "base/check.h"
#include "bpf/waylay.h"
#include "kernel/support.h"

namespace waylay::kernel::testing {
namespace {

constexpr const char* kRedirected = "peer=10.77.0.2:443 greeting=waylay";
constexpr const char* kDirect = "peer=10.77.0.2:443 greeting=origin";

class Lifetime : public RedirectTest {
 protected:
  Lifetime() { connect_to_origin(); }

  // A client that connects now, with the connection accepted and greeted.
  Accepted redirected(Client& client) {
    client.talk().say("go");
    Accepted accepted = accept_one(listeners_.v4[0]);
    if (accepted.fd) greet(accepted);
    EXPECT_EQ(client.talk().hear(), kRedirected);
    return accepted;
  }
  std::unique_ptr<Client> client() { return connecting_client(cgroup_, net_, plan_); }

  size_t flows_open() const {
    size_t count = 0;
    waylay_flow_key key{};
    waylay_flow_key* previous = nullptr;
    for (; bpf_map_get_next_key(engine_->flows_fd(), previous, &key) == 0; previous = &key) ++count;
    return count;
  }

  Plan plan_{.to = "10.77.0.2:443"};
};

TEST_F(Lifetime, ConnectsGoDirectAfterTheRedirectIsDestroyed) {
  auto redirect = attach();
  auto before = client();
  redirected(*before);
  redirect.reset();
  EXPECT_EQ(direct(plan_), kDirect);
}

TEST_F(Lifetime, DestroyingARedirectLeavesNoEntriesOfOpenConnections) {
  auto redirect = attach();
  auto open = client();
  Accepted accepted = redirected(*open);
  ASSERT_EQ(flows_open(), 1u);
  redirect.reset();
  EXPECT_EQ(flows_open(), 0u);
  EXPECT_EQ(read_counters(engine_->counters_fd(), 1)->seen, 0u);
}

TEST_F(Lifetime, AnOpenConnectionGoesOnAfterTheEnd) {
  auto redirect = attach();
  Client talker(cgroup_, net_, [this](Talk& talk) {
    Fd socket;
    talk.say(connect_and_describe(plan_, &socket));
    talk.hear();
    char byte = 0;
    talk.say(read(socket.get(), &byte, 1) == 1 && byte == '!' ? "heard" : "lost");
  });
  Accepted accepted = accept_one(listeners_.v4[0]);
  greet(accepted);
  ASSERT_EQ(talker.talk().hear(), kRedirected);
  redirect.reset();
  ASSERT_EQ(write(accepted.fd.get(), "!", 1), 1);
  fcntl(accepted.fd.get(), F_SETFL, 0);
  pollfd none{};
  poll(&none, 0, 100);  // the client's socket is nonblocking: let the byte arrive
  talker.talk().say("go");
  EXPECT_EQ(talker.talk().hear(), "heard");
}

TEST_F(Lifetime, AfterStopNewConnectsGoDirectAndOldOnesStayKnownUntilTheyClose) {
  auto redirect = attach();
  auto old = client();
  Accepted accepted = redirected(*old);
  redirect->stop();
  EXPECT_EQ(direct(plan_), kDirect);
  EXPECT_TRUE(origin_of(accepted));
  old->kill_now();
  accepted.fd.reset();
  EXPECT_TRUE(eventually([&] { return !origin_of(accepted); }));
}

TEST_F(Lifetime, ACgroupCanBeTakenAgain) {
  for (uint32_t target : {1u, 2u, 3u}) {
    RedirectConfig again = config();
    again.target = target;
    auto redirect = attach(again);
    auto one = client();
    Accepted accepted = redirected(*one);
    EXPECT_EQ(origin_of(accepted)->target, target);
  }
}

// A process that attaches with an engine of its own and then waits: what a warden is to the kernel.
std::unique_ptr<Child> warden(const RedirectConfig& config) {
  return std::make_unique<Child>([&](Talk& talk) {
    Result<BpfEngine> engine = BpfEngine::create({});
    if (!engine) return talk.say(engine.error().message);
    Result<std::unique_ptr<Redirect>> redirect = engine->attach(config);
    talk.say(redirect ? "attached" : redirect.error().message);
    talk.hear();
  });
}

TEST_F(Lifetime, KillingTheProcessThatHoldsTheLinksEndsTheRedirect) {
  auto holder = warden(config());
  ASSERT_EQ(holder->talk().hear(), "attached");
  auto before = client();
  redirected(*before);
  holder->kill_now();
  // The kernel detaches in the background, after the last descriptor is gone.
  EXPECT_TRUE(eventually([&] {
    auto after = client();
    after->talk().say("go");
    // Whoever is still redirected waits for a greeting: give it one, and try again.
    if (pollfd waiting{.fd = listeners_.v4[0].get(), .events = POLLIN, .revents = 0}; poll(&waiting, 1, 300) == 1) {
      greet(accept_one(listeners_.v4[0]));
      after->talk().hear();
      return false;
    }
    return after->talk().hear() == kDirect;
  }));
}

TEST_F(Lifetime, OtherPeoplesProgramsOnTheCgroupStay) {
  auto somebody = warden(config());
  ASSERT_EQ(somebody->talk().hear(), "attached");
  attach().reset();
  auto one = client();
  redirected(*one);
}

TEST_F(Lifetime, CarriesTwoHundredConnectionsAtOnce) {
  constexpr size_t kConnections = 200;
  auto redirect = attach();
  Client many(cgroup_, net_, [](Talk& talk) {
    std::vector<Fd> sockets;
    sockaddr_storage name{};
    socklen_t size = Address::parse("10.77.0.2:443")->to_sockaddr(name);
    for (size_t i = 0; i < kConnections; ++i) {
      sockets.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      if (connect(sockets.back().get(), reinterpret_cast<sockaddr*>(&name), size) != 0 && errno != EINPROGRESS) return;
    }
    talk.say("connected");
    talk.hear();
    sockets.clear();
    talk.say("closed");
  });
  ASSERT_EQ(many.talk().hear(), "connected");
  std::vector<Accepted> accepted;
  std::set<uint16_t> ports;
  for (size_t i = 0; i < kConnections; ++i) {
    accepted.push_back(accept_one(listeners_.v4[0]));
    ASSERT_TRUE(accepted.back().fd) << i;
    ASSERT_TRUE(origin_of(accepted.back())) << i;
    ports.insert(accepted.back().peer.port);
  }
  EXPECT_EQ(ports.size(), kConnections);
  EXPECT_EQ(flows_open(), kConnections);
  many.talk().say("close");
  ASSERT_EQ(many.talk().hear(), "closed");
  accepted.clear();
  EXPECT_TRUE(eventually([&] { return flows_open() == 0; }));
  EXPECT_EQ(redirect->counters()->redirected, kConnections);
  EXPECT_EQ(redirect->counters()->unlisted, 0u);
}

TEST_F(Lifetime, LeavesConnectionsAloneWhileTheMapIsFull) {
  constexpr size_t kRoom = 3;
  engine_ = std::move(*BpfEngine::create({.max_flows = kRoom, .max_targets = 16}));
  auto redirect = attach();
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<Accepted> accepted;
  for (size_t i = 0; i < kRoom; ++i) {
    clients.push_back(client());
    accepted.push_back(redirected(*clients.back()));
  }
  EXPECT_EQ(direct(plan_), kDirect);
  EXPECT_EQ(redirect->counters()->map_full, 1u);
  EXPECT_EQ(redirect->counters()->redirected, kRoom);
  clients.front()->kill_now();
  accepted.front().fd.reset();
  ASSERT_TRUE(eventually([&] { return flows_open() < kRoom; }));
  clients.push_back(client());
  redirected(*clients.back());
}

TEST_F(Lifetime, EntriesRemovedByUsMakeRoomAgain) {
  engine_ = std::move(*BpfEngine::create({.max_flows = 1, .max_targets = 16}));
  auto redirect = attach();
  auto open = client();
  Accepted accepted = redirected(*open);
  redirect.reset();
  redirect = attach();
  auto next = client();
  redirected(*next);
}

TEST_F(Lifetime, TheProxysDescriptorsCanBeReadByNobodyAndWrittenByNoOne) {
  auto redirect = attach();
  auto one = client();
  Accepted accepted = redirected(*one);
  uint64_t cookie = net_.cookie();
  Child proxy([&](Talk& talk) {
    CHECK(setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0);
    FlowMap flows(Fd(dup(engine_->flows_fd())));
    Result<std::optional<Origin>> found = flows.find(cookie, accepted.peer, listeners_.port_v4);
    talk.say(found && *found ? (*found)->destination.to_string() : "not found");
    talk.say(std::to_string(read_counters(engine_->counters_fd(), 1).value_or(TargetCounters{}).redirected));
  });
  EXPECT_EQ(proxy.talk().hear(), "10.77.0.2:443");
  EXPECT_EQ(proxy.talk().hear(), "1");
  waylay_flow_key key{};
  waylay_origin origin{};
  EXPECT_EQ(bpf_map_update_elem(engine_->flows_fd(), &key, &origin, BPF_ANY), -EPERM);
  uint32_t target = 1;
  EXPECT_EQ(bpf_map_delete_elem(engine_->counters_fd(), &target), -EPERM);
}

TEST_F(Lifetime, ItsDescriptorsAreClosedOnExec) {
  auto redirect = attach();
  Child looker([](Talk&) {
    dup2(open("/dev/null", O_RDONLY), 0);
    execl("/bin/sh", "sh", "-c", "ls -l /proc/self/fd | grep -c bpf > /dev/null && exit 7; exit 0", nullptr);
  });
  EXPECT_EQ(looker.wait(), 0);
}

TEST_F(Lifetime, RefusesATargetThatIsAttachedAlready) {
  auto redirect = attach();
  Result<std::unique_ptr<Redirect>> second = engine_->attach(config());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::Conflict);
  auto one = client();
  redirected(*one);
}

TEST_F(Lifetime, LeavesNothingAttachedWhenTheCgroupIsNone) {
  Fd file(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  RedirectConfig wrong = config();
  wrong.cgroup_fd = file.get();
  Result<std::unique_ptr<Redirect>> redirect = engine_->attach(wrong);
  ASSERT_FALSE(redirect);
  EXPECT_NE(redirect.error().message.find("not a cgroup2 directory"), std::string::npos) << redirect.error().message;
  EXPECT_TRUE(attach()) << "the target's number is free again";
}

TEST_F(Lifetime, SaysWhichCapabilityIsMissing) {
  Child unprivileged([](Talk& talk) {
    CHECK(setresuid(65534, 65534, 65534) == 0);
    Result<BpfEngine> engine = BpfEngine::create({});
    talk.say(engine ? "created" : engine.error().message);
  });
  std::string said = unprivileged.talk().hear();
  EXPECT_NE(said.find("lacks CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, CAP_SYS_ADMIN"), std::string::npos) << said;
}

TEST_F(Lifetime, RefusesAConfigurationThatMakesNoSense) {
  RedirectConfig wrong = config();
  wrong.ports = {};
  EXPECT_EQ(engine_->attach(wrong).error().kind, ErrorKind::Invalid);
  wrong = config();
  wrong.tree = true;
  EXPECT_EQ(engine_->attach(wrong).error().kind, ErrorKind::Invalid);
  wrong = config();
  wrong.listener_port_v4 = wrong.listener_port_v6 = 0;
  EXPECT_EQ(engine_->attach(wrong).error().kind, ErrorKind::Invalid);
}

}  // namespace
}  // namespace waylay::kernel::testing
