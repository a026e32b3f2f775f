// An attach that fails at any of its steps leaves nothing: mounts, listeners, links, descriptors. The proxy's side of
// the control channel and the redirect engine are the test's.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <optional>
#include <thread>

#include "kernel/support_warden.h"
#include "warden/attachments.h"
#include "warden/proxy_process.h"

namespace waylay::warden {
namespace {

using testing::Cgroup;
using testing::FakeContainer;
using testing::Namespace;
using testing::Places;

constexpr const char* kBundle = "/etc/ssl/certs/ca-certificates.crt";
constexpr const char* kOurs = "-----BEGIN CERTIFICATE-----\nOURS\n-----END CERTIFICATE-----\n";
constexpr const char* kTheirs = "-----BEGIN CERTIFICATE-----\nTHEIRS\n-----END CERTIFICATE-----\n";

struct Journal {
  int links = 0;
  std::vector<std::string> events;
};

class FakeRedirect : public kernel::Redirect {
 public:
  explicit FakeRedirect(Journal& journal) : journal_(journal) { ++journal_.links; }
  ~FakeRedirect() override { --journal_.links; }
  void set_families(bool, bool) override {}
  void stop() override { journal_.events.emplace_back("links stopped"); }
  Result<kernel::TargetCounters> counters() const override { return kernel::TargetCounters{}; }

 private:
  Journal& journal_;
};

class FakeEngine : public kernel::RedirectEngine {
 public:
  Result<std::unique_ptr<kernel::Redirect>> attach(const kernel::RedirectConfig& config) override {
    journal.events.emplace_back("links");
    last = config;
    if (refuses) return fail(Error::local(ErrorKind::System, "the kernel said no"));
    return std::make_unique<FakeRedirect>(journal);
  }
  Journal journal;
  kernel::RedirectConfig last;
  bool refuses = false;
};

struct NoEvents : EventSource {
  Result<void> watch(int, uint32_t, uint64_t) override { return {}; }
  void forget(int) override {}
};

class TransactionTest : public ::testing::Test {
 protected:
  TransactionTest() {
    root_ = places_.base + "/root";
    for (const std::string& each :
         {root_ + "/etc/ssl/certs", places_.configuration.state_directory, places_.configuration.runtime_directory})
      std::filesystem::create_directories(each);
    std::ofstream(root_ + kBundle) << kTheirs;
    job_ = std::make_unique<FakeContainer>(root_, MS_PRIVATE, &cgroup_, &net_);
    trust_.emplace(
        std::move(*Trust::open({places_.configuration.state_directory, places_.configuration.runtime_directory},
                               {.pem = kOurs, .der = "ours", .hash = "0a0b0c0d"})));
    channel_ = std::move(*make_channel());
    attachments_ =
        std::make_unique<Attachments>(AttachmentParts{.engine = &engine_,
                                                      .cgroups = Cgroup::tree(),
                                                      .unavailable = "",
                                                      .docker_sockets = {},
                                                      .state_directory = places_.configuration.state_directory,
                                                      .trust = *trust_,
                                                      .sockets = sockets_,
                                                      .processes = processes_,
                                                      .events = events_,
                                                      .control = channel_.warden.get(),
                                                      .workers = 2,
                                                      .excluded = {::getpid()},
                                                      .post = [](std::function<void()>) {}});
    proxy_ = std::thread([this] { be_proxy(); });
  }
  ~TransactionTest() override {
    channel_.warden.reset();
    ::shutdown(channel_.proxy.get(), SHUT_RDWR);
    proxy_.join();
  }

  // Answers as a proxy would, on its own thread, and hands the answers to the loop's side.
  void be_proxy() {
    while (true) {
      Result<Message> message = receive(channel_.proxy.get());
      if (!message) return;
      bool added = message->header.type == MessageType::TargetAdded;
      engine_.journal.events.emplace_back(added ? "added" : "removed");
      if (added)
        listeners_ = std::move(message->descriptors);
      else
        listeners_.clear();
      Message answer;
      answer.header = {.type = added ? MessageType::TargetReady : MessageType::TargetDrained,
                       .target = message->header.target};
      if (added && refuses_) answer.header.status = 1, answer.payload = "no room";
      if (added && is_silent_) continue;
      attachments_->on_proxy_message(answer);
    }
  }

  Result<Attached> attach() { return attachments_->attach({TargetKind::Cgroup, cgroup_.path(), 0}, {}); }
  void expect_nothing_left() {
    EXPECT_EQ(job_->mounts_of_ours(), 0u);
    EXPECT_EQ(job_->read(kBundle), kTheirs);
    EXPECT_EQ(engine_.journal.links, 0);
    EXPECT_TRUE(listeners_.empty());
    EXPECT_FALSE(sockets_.make(1, Family::Ipv4, 1));
    EXPECT_TRUE(attachments_->list().empty());
  }

  Places places_;
  std::string root_;
  Namespace net_;
  Cgroup cgroup_{"transaction"};
  std::unique_ptr<FakeContainer> job_;
  std::optional<Trust> trust_;
  SocketSource sockets_;
  ProcessDirectory processes_{Cgroup::tree(), {}};
  NoEvents events_;
  FakeEngine engine_;
  ChannelPair channel_;
  std::unique_ptr<Attachments> attachments_;
  std::vector<Fd> listeners_;
  bool refuses_ = false, is_silent_ = false;
  std::thread proxy_;
};

using Events = std::vector<std::string>;

TEST_F(TransactionTest, GoesInOrderAndComesBackInReverse) {
  Result<Attached> attached = attach();
  ASSERT_TRUE(attached) << attached.error().message;
  EXPECT_EQ(engine_.journal.events, (Events{"added", "links"}));
  EXPECT_EQ(listeners_.size(), 4u) << "two workers, two families";
  EXPECT_EQ(engine_.last.excluded, std::vector<pid_t>{::getpid()});
  EXPECT_EQ(engine_.last.target, attached->id);
  EXPECT_EQ(job_->mounts_of_ours(), 1u);
  EXPECT_TRUE(sockets_.make(attached->id, Family::Ipv6, 1));

  ASSERT_TRUE(attachments_->detach({TargetKind::Cgroup, cgroup_.path(), 0}, false));
  ASSERT_GE(engine_.journal.events.size(), 4u);
  EXPECT_EQ(engine_.journal.events[2], "links stopped");
  EXPECT_EQ(engine_.journal.events.back(), "removed");
  EXPECT_EQ(attachments_->list().size(), 1u);
  EXPECT_TRUE(attachments_->list().front().ended);
  EXPECT_EQ(engine_.journal.links, 0);
  EXPECT_EQ(job_->mounts_of_ours(), 0u);
}

TEST_F(TransactionTest, ARefusedRedirectLeavesNothing) {
  engine_.refuses = true;
  Result<Attached> attached = attach();
  ASSERT_FALSE(attached);
  EXPECT_EQ(attached.error().message, "attaching cgroup:" + cgroup_.path() + ": the kernel said no");
  EXPECT_EQ(engine_.journal.events, (Events{"added", "links", "removed"}));
  expect_nothing_left();
  engine_.refuses = false;
  EXPECT_TRUE(attach()) << "and it can be tried again";
}

TEST_F(TransactionTest, ARefusingProxyLeavesNothing) {
  refuses_ = true;
  Result<Attached> attached = attach();
  ASSERT_FALSE(attached);
  EXPECT_EQ(attached.error().message, "attaching cgroup:" + cgroup_.path() + ": the proxy refused: no room");
  EXPECT_EQ(engine_.journal.events, (Events{"added", "removed"})) << "no link was ever made";
  expect_nothing_left();
}

TEST_F(TransactionTest, ASilentProxyIsGivenUp) {
  is_silent_ = true;
  Result<Attached> attached = attach();
  ASSERT_FALSE(attached);
  EXPECT_EQ(attached.error().kind, ErrorKind::Timeout);
  expect_nothing_left();
}

TEST_F(TransactionTest, TrustThatCannotBeMountedLeavesNothing) {
  std::filesystem::remove_all(places_.configuration.runtime_directory + "/trust/merged");
  Result<Attached> attached = attach();
  ASSERT_FALSE(attached);
  EXPECT_TRUE(engine_.journal.events.empty()) << "the proxy was not even told";
  expect_nothing_left();
}

TEST_F(TransactionTest, AJournalThatCannotBeWrittenMeansNoMount) {
  std::filesystem::remove_all(places_.configuration.state_directory);
  Result<Attached> attached = attach();
  ASSERT_FALSE(attached);
  expect_nothing_left();
}

TEST_F(TransactionTest, NothingIsAttachedOnceItIsClosed) {
  attachments_->close();
  Result<Attached> attached = attach();
  ASSERT_FALSE(attached);
  EXPECT_EQ(attached.error().kind, ErrorKind::Unavailable);
  expect_nothing_left();
}

}  // namespace
}  // namespace waylay::warden
