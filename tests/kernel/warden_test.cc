// A whole warden against the real kernel, with a fake proxy (support_warden.h) and a target that the test makes itself.
#include "warden/warden.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "kernel/process.h"
#include "kernel/support_warden.h"

namespace waylay::warden {
namespace {

using kernel::testing::eventually;
using testing::Cgroup;
using testing::Child;
using testing::FakeContainer;
using testing::Namespace;
using testing::Places;
using testing::ProxyManner;
using testing::RunningWarden;
using testing::Talk;
using Json = nlohmann::json;

constexpr const char* kBundle = "/etc/ssl/certs/ca-certificates.crt";
constexpr const char* kTheirs = "-----BEGIN CERTIFICATE-----\nTHEIRS\n-----END CERTIFICATE-----\n";
constexpr const char* kServer = "192.0.2.1:443";  // TEST-NET-1; the namespace has no route at all
constexpr const char* kRedirected = "peer=192.0.2.1:443 greeting=waylay";

bool is_alive(pid_t pid) {
  return ::kill(pid, 0) == 0;
}

class WardenTest : public ::testing::Test {
 protected:
  WardenTest() {
    root_ = places_.base + "/root";
    std::filesystem::create_directories(root_ + "/etc/ssl/certs");
    std::ofstream(root_ + kBundle) << kTheirs;
    job_ = std::make_unique<FakeContainer>(root_, MS_PRIVATE, &cgroup_, &net_);
  }

  Json attach(RunningWarden& warden) {
    return warden.ask({{"verb", "attach"}, {"target", "cgroup:" + cgroup_.path()}});
  }
  void expect_untouched() {
    EXPECT_EQ(job_->connect(kServer), "ENETUNREACH");
    EXPECT_EQ(job_->read(kBundle), kTheirs);
    EXPECT_EQ(job_->mounts_of_ours(), 0u);
  }
  static std::string kind_of(const Json& answer) { return answer.at("error").at("kind"); }
  static std::string message_of(const Json& answer) { return answer.at("error").at("message"); }

  Places places_;
  std::string root_;
  Namespace net_;
  Cgroup cgroup_{"warden"};
  std::unique_ptr<FakeContainer> job_;
};

TEST_F(WardenTest, AttachesWhatRunsAndDetachUndoesAll) {
  RunningWarden warden(places_.configuration);
  ASSERT_EQ(warden.start_word(), "READY=1");
  size_t held_before = warden.namespaces_held();
  expect_untouched();

  Json attached = attach(warden);
  ASSERT_TRUE(attached.at("ok")) << attached;
  EXPECT_EQ(attached["target"]["name"], Json("cgroup:" + cgroup_.path()));
  EXPECT_EQ(attached["target"]["ports"], Json({443}));
  EXPECT_EQ(attached["target"]["families"], Json({{"ipv4", true}, {"ipv6", true}}));
  EXPECT_EQ(attached["target"]["trust"], Json(std::string("our CA was added to ") + kBundle));
  EXPECT_EQ(job_->connect(kServer), kRedirected);
  EXPECT_EQ(job_->connect("[2001:db8::1]:443"), "peer=[2001:db8::1]:443 greeting=waylay");
  EXPECT_EQ(job_->connect("192.0.2.1:8443"), "ENETUNREACH") << "another port";
  EXPECT_EQ(job_->mounts_of_ours(), 1u);
  EXPECT_TRUE(job_->read(kBundle).starts_with(kTheirs));

  Json targets = warden.ask({{"verb", "targets"}});
  ASSERT_EQ(targets.at("targets").size(), 1u) << targets;
  EXPECT_EQ(targets["targets"][0]["state"], "attached");

  Json detached = warden.ask({{"verb", "detach"}, {"target", "cgroup:" + cgroup_.path()}});
  EXPECT_EQ(detached, Json({{"ok", true}, {"detached", {"cgroup:" + cgroup_.path()}}}));
  expect_untouched();
  EXPECT_EQ(warden.namespaces_held(), held_before);
  EXPECT_EQ(warden.ask({{"verb", "targets"}})["targets"][0]["reason"], "detached");
}

TEST_F(WardenTest, AttachesAgainAfterADetach) {
  RunningWarden warden(places_.configuration);
  ASSERT_EQ(warden.start_word(), "READY=1");
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(attach(warden).at("ok"));
    EXPECT_EQ(job_->connect(kServer), kRedirected);
    ASSERT_TRUE(warden.ask({{"verb", "detach"}, {"all", true}}).at("ok"));
    expect_untouched();
  }
}

TEST_F(WardenTest, RefusesWhatMakesNoSense) {
  RunningWarden warden(places_.configuration);
  ASSERT_EQ(warden.start_word(), "READY=1");
  ASSERT_TRUE(attach(warden).at("ok"));
  Json twice = attach(warden);
  EXPECT_EQ(kind_of(twice), "conflict");
  EXPECT_EQ(message_of(twice), "cgroup:" + cgroup_.path() + " is attached already (as cgroup:" + cgroup_.path() + ")");
  EXPECT_EQ(job_->connect(kServer), kRedirected) << "the first attachment is as it was";
  EXPECT_EQ(kind_of(warden.ask({{"verb", "detach"}, {"target", "pid:4194000"}})), "not_found");
  EXPECT_EQ(kind_of(warden.ask({{"verb", "attach"}, {"target", "cgroup:/no/such/cgroup"}})), "not_found");
  EXPECT_EQ(kind_of(warden.ask({{"verb", "attach"}, {"target", "pid:4194000"}})), "not_found");
  EXPECT_EQ(kind_of(warden.ask({{"verb", "attach"}, {"target", "web"}})), "unavailable");
  EXPECT_EQ(kind_of(warden.ask_raw("hello\n")), "invalid");
  EXPECT_EQ(kind_of(warden.ask_raw(std::string(70'000, 'x') + "\n")), "limit");
  EXPECT_EQ(warden.ask({{"verb", "ping"}})["attach"], "available");
}

TEST_F(WardenTest, AProxyThatRefusesATargetLeavesNothing) {
  RunningWarden warden(places_.configuration, ProxyManner::RefusesTargets);
  ASSERT_EQ(warden.start_word(), "READY=1");
  size_t held_before = warden.namespaces_held();
  Json refused = attach(warden);
  EXPECT_EQ(message_of(refused), "attaching cgroup:" + cgroup_.path() + ": the proxy refused: no room");
  expect_untouched();
  EXPECT_EQ(warden.namespaces_held(), held_before);
  EXPECT_EQ(warden.ask({{"verb", "targets"}})["targets"].size(), 0u);
}

TEST_F(WardenTest, AProxyThatDiesOfATargetEndsTheDaemonAndLeavesNothing) {
  RunningWarden warden(places_.configuration, ProxyManner::DiesOfTargets);
  ASSERT_EQ(warden.start_word(), "READY=1");
  Json died = attach(warden);
  EXPECT_EQ(kind_of(died), "unavailable") << died;
  EXPECT_EQ(warden.start_word(), "failed: the proxy ended: exit status 9");
  EXPECT_EQ(WEXITSTATUS(warden.wait()), 1);
  expect_untouched();
}

TEST_F(WardenTest, AProxyThatDiesEndsEveryRedirect) {
  RunningWarden warden(places_.configuration);
  ASSERT_EQ(warden.start_word(), "READY=1");
  ASSERT_TRUE(attach(warden).at("ok"));
  EXPECT_EQ(job_->connect(kServer), kRedirected);
  ::kill(warden.proxy_pid(), SIGKILL);
  EXPECT_EQ(warden.start_word(), "failed: the proxy ended: signal 9");
  EXPECT_EQ(WEXITSTATUS(warden.wait()), 1);
  expect_untouched();
}

TEST_F(WardenTest, AKilledWardenEndsEveryRedirectAndTheNextOneCleansUp) {
  pid_t proxy = -1;
  {
    RunningWarden warden(places_.configuration);
    ASSERT_EQ(warden.start_word(), "READY=1");
    ASSERT_TRUE(attach(warden).at("ok"));
    proxy = warden.proxy_pid();
    warden.kill();
  }
  EXPECT_TRUE(eventually([&] { return job_->connect(kServer) == "ENETUNREACH"; }));
  EXPECT_TRUE(eventually([&] { return !is_alive(proxy); }));
  EXPECT_TRUE(job_->read(kBundle).starts_with(kTheirs)) << "a superset, still readable";
  EXPECT_EQ(job_->mounts_of_ours(), 1u);

  RunningWarden next(places_.configuration);
  ASSERT_EQ(next.start_word(), "READY=1");
  expect_untouched();
  ASSERT_TRUE(attach(next).at("ok"));
  EXPECT_EQ(job_->connect(kServer), kRedirected);
}

TEST_F(WardenTest, StopsInOrder) {
  RunningWarden warden(places_.configuration);
  ASSERT_EQ(warden.start_word(), "READY=1");
  ASSERT_TRUE(attach(warden).at("ok"));
  pid_t proxy = warden.proxy_pid();
  ::kill(warden.pid(), SIGTERM);
  EXPECT_EQ(warden.start_word(), "STOPPING=1");
  EXPECT_EQ(warden.wait(), 0);
  EXPECT_FALSE(is_alive(proxy));
  expect_untouched();
  EXPECT_FALSE(std::filesystem::exists(places_.configuration.runtime_directory + "/warden.sock"));
}

TEST_F(WardenTest, ATargetWhoseLastProcessEndsIsDetachedByItself) {
  RunningWarden warden(places_.configuration);
  ASSERT_EQ(warden.start_word(), "READY=1");
  size_t held_before = warden.namespaces_held();
  ASSERT_TRUE(attach(warden).at("ok"));
  job_->kill();
  Json target;
  EXPECT_TRUE(eventually([&] {
    target = warden.ask({{"verb", "targets"}})["targets"][0];
    return target["state"] == "ended";
  })) << target;
  EXPECT_EQ(target["reason"], "its last process ended");
  EXPECT_EQ(warden.namespaces_held(), held_before);
}

TEST_F(WardenTest, AProcessIsATargetOfItsOwnAndEndsWithIt) {
  FakeContainer neighbour(root_, MS_PRIVATE, &cgroup_, &net_);
  RunningWarden warden(places_.configuration);
  ASSERT_EQ(warden.start_word(), "READY=1");
  size_t held_before = warden.namespaces_held();
  std::string name = "pid:" + std::to_string(job_->pid());
  ASSERT_TRUE(warden.ask({{"verb", "attach"}, {"target", name}}).at("ok"));
  EXPECT_EQ(job_->connect(kServer), kRedirected);
  EXPECT_EQ(neighbour.connect(kServer), "ENETUNREACH");
  job_->kill();
  EXPECT_TRUE(eventually([&] { return warden.ask({{"verb", "targets"}})["targets"][0]["state"] == "ended"; }));
  EXPECT_EQ(warden.namespaces_held(), held_before);
}

TEST_F(WardenTest, AFamilyIsRedirectedOnlyWhileThereIsARouteForIt) {
  RunningWarden warden(places_.configuration);
  ASSERT_EQ(warden.start_word(), "READY=1");
  ASSERT_TRUE(attach(warden).at("ok"));
  net_.run(
      "ip link add veth0 type veth peer name veth1 && sysctl -qw net.ipv6.conf.veth0.disable_ipv6=1 && "
      "ip link set veth0 up && ip link set veth1 up && ip addr add 10.77.1.1/24 dev veth0");
  EXPECT_TRUE(eventually([&] { return job_->connect("[2001:db8::1]:443") == "ENETUNREACH"; })) << "IPv4 only now";
  EXPECT_EQ(job_->connect(kServer), kRedirected);
  net_.run("ip link del veth0");
  EXPECT_TRUE(eventually([&] { return job_->connect("[2001:db8::1]:443") != "ENETUNREACH"; })) << "no route at all";
}

TEST_F(WardenTest, ASecondDaemonIsToldWhoIsThere) {
  RunningWarden warden(places_.configuration);
  ASSERT_EQ(warden.start_word(), "READY=1");
  RunningWarden second(places_.configuration);
  EXPECT_EQ(second.start_word(), "failed: another waylayd (pid " + std::to_string(warden.pid()) + ") uses " +
                                     places_.configuration.runtime_directory +
                                     ": stop it, or give this one its own --runtime-dir");
  EXPECT_EQ(warden.ask({{"verb", "ping"}})["pid"], warden.pid()) << "the first one is as it was";
  Places other;
  RunningWarden third(other.configuration);
  EXPECT_EQ(third.start_word(), "READY=1") << "side by side";
}

TEST_F(WardenTest, AProxyThatCannotStartIsAnErrorThatSaysSo) {
  RunningWarden warden(places_.configuration, ProxyManner::NeverReady);
  EXPECT_EQ(warden.start_word(), "failed: the proxy ended while starting (exit status 5); its own log says why");
  EXPECT_EQ(WEXITSTATUS(warden.wait()), 1);
}

// A container engine that accepts and never answers.
struct HungEngine {
  explicit HungEngine(const std::string& path) : listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, path.size());
    EXPECT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener.get(), 8), 0);
  }
  Fd listener;
};

TEST_F(WardenTest, NobodyWaitsForAnAttachThatHangs) {
  HungEngine engine(places_.configuration.docker_sockets.front());
  RunningWarden warden(places_.configuration);
  ASSERT_EQ(warden.start_word(), "READY=1");
  auto hanging = std::async(std::launch::async, [&] { return warden.ask({{"verb", "attach"}, {"target", "web"}}); });
  pollfd asked{engine.listener.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&asked, 1, 5000), 1);
  EXPECT_TRUE(warden.ask({{"verb", "ping"}}).at("ok"));
  EXPECT_TRUE(warden.ask({{"verb", "targets"}}).at("ok"));
  EXPECT_EQ(hanging.wait_for(std::chrono::seconds(0)), std::future_status::timeout) << "it should still hang";
  EXPECT_FALSE(hanging.get().at("ok"));
}

// What `waylay run` does: a child that waits, in the same network namespace, until its parent has asked.
TEST_F(WardenTest, RunPutsACommandIntoACgroupOfItsOwn) {
  RunningWarden warden(places_.configuration);
  ASSERT_EQ(warden.start_word(), "READY=1");
  auto child = std::make_unique<FakeContainer>(root_, MS_PRIVATE, nullptr, &net_);
  std::string home = *kernel::cgroup_of_process(::getpid());

  Json ran = warden.ask({{"verb", "run"}, {"pid", child->pid()}});
  ASSERT_TRUE(ran.at("ok")) << ran;
  EXPECT_EQ(child->connect(kServer), kRedirected);
  EXPECT_EQ(job_->connect(kServer), "ENETUNREACH");
  std::string cgroup = *kernel::cgroup_of_process(child->pid());
  EXPECT_EQ(ran["target"]["cgroup"], Json(cgroup));
  EXPECT_EQ(std::filesystem::path(cgroup).parent_path(), home);
  std::string bundle = places_.configuration.runtime_directory + "/trust/bundle.pem";
  EXPECT_EQ(ran["environment"]["SSL_CERT_FILE"], Json(bundle));
  EXPECT_EQ(ran["environment"]["AWS_CA_BUNDLE"], Json(bundle));
  EXPECT_EQ(child->mounts_of_ours(), 0u);

  child.reset();
  std::string directory = Cgroup::tree().directory(cgroup);
  EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(directory); })) << directory;
}

TEST_F(WardenTest, ACommandThatOutlivesTheDaemonGoesBackToItsCgroup) {
  RunningWarden warden(places_.configuration);
  ASSERT_EQ(warden.start_word(), "READY=1");
  FakeContainer child(root_, MS_PRIVATE, nullptr, &net_);
  Json ran = warden.ask({{"verb", "run"}, {"pid", child.pid()}});
  ASSERT_TRUE(ran.at("ok")) << ran;
  std::string cgroup = ran["target"]["cgroup"];
  EXPECT_EQ(warden.end_by(SIGTERM), 0);
  EXPECT_EQ(*kernel::cgroup_of_process(child.pid()), *kernel::cgroup_of_process(::getpid()));
  EXPECT_FALSE(std::filesystem::exists(Cgroup::tree().directory(cgroup)));
  EXPECT_EQ(child.connect(kServer), "ENETUNREACH");
}

TEST_F(WardenTest, RunRefusesTheProcessesOfOthers) {
  RunningWarden warden(places_.configuration);
  ASSERT_EQ(warden.start_word(), "READY=1");
  Json stranger = warden.ask({{"verb", "run"}, {"pid", 1}});
  EXPECT_EQ(message_of(stranger), "process 1 is not a child of the caller");
}

}  // namespace
}  // namespace waylay::warden
