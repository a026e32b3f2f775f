// What the proxy may ask of the warden, and what becomes of a proxy that asks for more.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <optional>

#include "kernel/support_warden.h"
#include "warden/proxy_process.h"
#include "warden/worker_service.h"

namespace waylay::warden {
namespace {

using kernel::testing::eventually;
using testing::Cgroup;
using testing::FakeContainer;
using testing::Namespace;
using testing::Places;

class WorkerServiceTest : public ::testing::Test {
 protected:
  WorkerServiceTest() {
    std::filesystem::create_directories(places_.configuration.state_directory);
    authority_.emplace(std::move(*Authority::open(places_.configuration, now())));
    std::vector<Fd> ends;
    for (Fd& worker : workers_) {
      ChannelPair pair = std::move(*make_channel());
      ends.push_back(std::move(pair.warden));
      worker = std::move(pair.proxy);
      const timeval patience{10, 0};
      ::setsockopt(worker.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    service_.emplace(std::move(ends), *authority_, sockets_, processes_, inquiries_, [this](const Error& why) {
      broken_ = why.message;
      ++times_broken_;
    });
  }
  ~WorkerServiceTest() override {
    inquiries_.stop();
    service_->stop();
  }

  Message ask(const Header& header, std::string_view payload, size_t worker = 0) {
    EXPECT_TRUE(send(workers_[worker].get(), header, payload));
    Result<Message> answer = receive(workers_[worker].get());
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? std::move(*answer) : Message{};
  }
  void add_target(uint32_t id, const Namespace& net) { sockets_.add(id, std::move(*kernel::open_netns(net.holder()))); }

  Places places_;
  std::optional<Authority> authority_;
  SocketSource sockets_;
  ProcessDirectory processes_{Cgroup::tree(), {}};
  JobThread inquiries_{"test-inquire"};
  Fd workers_[2];
  std::optional<WorkerService> service_;
  std::string broken_;
  std::atomic<int> times_broken_ = 0;
};

TEST_F(WorkerServiceTest, SignsForEveryWorker) {
  for (size_t worker : {0u, 1u}) {
    Message signature = ask({.type = MessageType::Sign, .id = 40 + worker}, "to be signed", worker);
    EXPECT_EQ(signature.header.type, MessageType::Signature);
    EXPECT_EQ(signature.header.id, 40 + worker);
    EXPECT_EQ(signature.header.status, 0);
    EXPECT_FALSE(signature.payload.empty());
  }
}

TEST_F(WorkerServiceTest, HandsOutSocketsOfTheTargetsNamespaceOnly) {
  Namespace net;
  add_target(7, net);
  Message answer = ask({.type = MessageType::WantSockets, .target = 7, .id = 1, .count = 3, .family = 6}, "");
  EXPECT_EQ(answer.header.status, 0) << answer.payload;
  EXPECT_EQ(answer.header.family, 6);
  ASSERT_EQ(answer.descriptors.size(), 3u);
  for (const Fd& each : answer.descriptors) {
    EXPECT_EQ(*kernel::netns_cookie(each.get()), net.cookie());
    int domain = 0;
    socklen_t size = sizeof domain;
    ASSERT_EQ(::getsockopt(each.get(), SOL_SOCKET, SO_DOMAIN, &domain, &size), 0);
    EXPECT_EQ(domain, AF_INET6);
  }
  sockets_.remove(7);
  Message refused = ask({.type = MessageType::WantSockets, .target = 7, .count = 1, .family = 4}, "");
  EXPECT_NE(refused.header.status, 0);
  EXPECT_EQ(refused.payload, "target 7 is not attached");
  EXPECT_TRUE(refused.descriptors.empty());
}

TEST_F(WorkerServiceTest, NeverHandsOutMoreSocketsThanAMessageTakes) {
  Namespace net;
  add_target(1, net);
  Message answer = ask({.type = MessageType::WantSockets, .target = 1, .count = 60'000, .family = 4}, "");
  EXPECT_EQ(answer.descriptors.size(), static_cast<size_t>(kMaximumSocketsAtOnce));
}

TEST_F(WorkerServiceTest, TellsAboutProcessesOfTheTargetOnly) {
  Namespace net;
  Cgroup cgroup("service");
  std::filesystem::create_directories(places_.base + "/root");
  FakeContainer job(places_.base + "/root", MS_PRIVATE, &cgroup, &net);
  processes_.add_target(3, cgroup.path(), std::nullopt);
  auto question = [&](pid_t pid, uint64_t cgroup_id) { return std::to_string(pid) + " " + std::to_string(cgroup_id); };

  Message answer = ask({.type = MessageType::WhoIs, .target = 3, .id = 9}, question(job.pid(), cgroup.id()));
  EXPECT_EQ(answer.header.id, 9u);
  Result<ProcessInfo> info = process_info_from_json(answer.payload);
  ASSERT_TRUE(info) << answer.payload;
  EXPECT_EQ(info->cgroup, cgroup.path());
  EXPECT_EQ(std::filesystem::path(info->exe).filename(), "kernel_tests");

  EXPECT_EQ(ask({.type = MessageType::WhoIs, .target = 3}, question(job.pid(), cgroup.id() + 1)).payload, "")
      << "the number is somebody else's now";
  EXPECT_EQ(ask({.type = MessageType::WhoIs, .target = 3}, question(::getpid(), cgroup.id())).payload, "")
      << "none of the target's";
  EXPECT_EQ(ask({.type = MessageType::WhoIs, .target = 4}, question(job.pid(), cgroup.id())).payload, "")
      << "no such target";
}

TEST_F(WorkerServiceTest, ABrokenMessageIsReportedAndTheOtherWorkerIsStillServed) {
  ASSERT_EQ(::send(workers_[0].get(), "junk", 4, 0), 4);
  EXPECT_TRUE(eventually([&] { return times_broken_ == 1; }));
  EXPECT_EQ(broken_, "message shorter than its header");
  ASSERT_TRUE(send(workers_[1].get(), {.type = MessageType::Start}, ""));
  EXPECT_TRUE(eventually([&] { return times_broken_ == 2; }));
  ASSERT_TRUE(send(workers_[1].get(), {.type = MessageType::WhoIs}, "1; rm"));
  EXPECT_TRUE(eventually([&] { return times_broken_ == 3; }));
  EXPECT_EQ(ask({.type = MessageType::Sign}, "x", 1).header.status, 0);
}

}  // namespace
}  // namespace waylay::warden
