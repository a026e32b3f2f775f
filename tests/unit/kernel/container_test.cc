// Containers asked of an engine that the test plays itself, on a Unix socket.
#include "kernel/container.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <thread>

#include "base/check.h"
#include "base/clock.h"
#include "base/handle.h"

namespace waylay::kernel {
namespace {

const std::string kWebId = "aa11" + std::string(60, '0');
const std::string kWorkerId = "aa22" + std::string(60, '0');
const std::string kCafeId = "beef" + std::string(60, '0');

std::string ok(const std::string& body) {
  return "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + body;
}

// One answer for each request target; served one after the other until the object goes.
class FakeEngine {
 public:
  explicit FakeEngine(std::map<std::string, std::string> answers) : answers_(std::move(answers)) {
    char pattern[] = "/tmp/waylay-kernel-engine-XXXXXX";
    CHECK(mkdtemp(pattern) != nullptr);
    directory_ = pattern;
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::strcpy(name.sun_path, socket_path().c_str());
    listener_ = Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK(bind(listener_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) == 0 &&
          listen(listener_.get(), 8) == 0);
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeEngine() {
    shutdown(listener_.get(), SHUT_RDWR);  // wakes accept()
    thread_.join();
    unlink(socket_path().c_str());
    rmdir(directory_.c_str());
  }
  std::string socket_path() const { return directory_ + "/docker.sock"; }
  ContainerEngine client() const { return ContainerEngine(socket_path()); }

 private:
  void serve() {
    while (Fd connection{accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)}) answer(connection);
  }
  void answer(const Fd& connection) {
    char request[4096];
    ssize_t size = read(connection.get(), request, sizeof request);
    std::string_view line(request, size > 0 ? static_cast<size_t>(size) : 0);
    CHECK(line.starts_with("GET "));
    std::string target(line.substr(4, line.find(' ', 4) - 4));
    auto found = answers_.find(target);
    std::string text = found == answers_.end() ? "HTTP/1.0 404 Not Found\r\n\r\n{}" : found->second;
    for (size_t sent = 0; sent < text.size();) {
      ssize_t part = send(connection.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (part <= 0) return;
      sent += static_cast<size_t>(part);
    }
    // An empty answer stands for an engine that hangs: it waits for the asker to give up.
    if (text.empty()) read(connection.get(), request, sizeof request) > 0 ? void() : void();
  }

  std::map<std::string, std::string> answers_;
  std::string directory_;
  Fd listener_;
  std::thread thread_;
};

std::string entry(const std::string& id, const std::string& names, const std::string& state = "running") {
  return R"({"Id":")" + id + R"(","Names":[)" + names + R"(],"Image":"job:1","State":")" + state + R"("})";
}

std::string inspection(const std::string& id, const std::string& name, bool running, int pid) {
  return ok(R"({"Id":")" + id + R"(","Name":"/)" + name + R"(","Config":{"Image":"job:1"},"State":{"Running":)" +
            (running ? "true" : "false") + R"(,"Pid":)" + std::to_string(pid) + "}}");
}

std::map<std::string, std::string> three_containers() {
  std::string list = "[" + entry(kWebId, R"("/web")") + "," + entry(kWorkerId, R"("/web/alias","/worker-1")") + "," +
                     entry(kCafeId, R"("/aa")", "exited") + "]";
  return {{"/containers/json?all=1", ok(list)},
          {"/containers/" + kWebId + "/json", inspection(kWebId, "web", true, 4242)},
          {"/containers/" + kWorkerId + "/json", inspection(kWorkerId, "worker-1", true, 4243)},
          {"/containers/" + kCafeId + "/json", inspection(kCafeId, "aa", false, 0)}};
}

TEST(Container, IsFoundByItsName) {
  FakeEngine engine(three_containers());
  Result<Container> found = engine.client().find("web");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->id, kWebId);
  EXPECT_EQ(found->name, "web");
  EXPECT_EQ(found->image, "job:1");
  EXPECT_EQ(found->pid, 4242);
  EXPECT_TRUE(found->running);
}

TEST(Container, IsFoundByItsOwnNameAndNotByALinksAlias) {
  FakeEngine engine(three_containers());
  EXPECT_EQ(engine.client().find("/worker-1")->id, kWorkerId);
  EXPECT_FALSE(engine.client().find("alias"));
}

TEST(Container, IsFoundByAnUnambiguousPrefixOfItsId) {
  FakeEngine engine(three_containers());
  EXPECT_EQ(engine.client().find("aa1")->id, kWebId);
  EXPECT_EQ(engine.client().find(kWorkerId)->name, "worker-1");
}

TEST(Container, PrefersANameToAnId) {
  FakeEngine engine(three_containers());
  Result<Container> found = engine.client().find("aa");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, kCafeId);
  EXPECT_FALSE(found->running);
  EXPECT_EQ(found->pid, 0);
}

TEST(Container, IsRefusedWithTheCandidatesWhenThePrefixIsAmbiguous) {
  FakeEngine engine(three_containers());
  Result<Container> found = engine.client().find("a");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::Conflict);
  EXPECT_EQ(found.error().message, "'a' could be any of web (aa1100000000), worker-1 (aa2200000000)");
}

TEST(Container, IsRefusedWithTheNearestNamesWhenUnknown) {
  FakeEngine engine(three_containers());
  Result<Container> found = engine.client().find("worker1");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::NotFound);
  EXPECT_EQ(found.error().message, "there is no container 'worker1'; the nearest names are worker-1, web, aa");
}

TEST(Container, SaysSoWhenTheEngineHasNone) {
  FakeEngine engine({{"/containers/json?all=1", ok("[]")}});
  EXPECT_EQ(engine.client().find("web").error().message, "there is no container 'web': the engine has none");
}

TEST(Container, ThatWasRemovedMeanwhileIsNotFound) {
  std::map<std::string, std::string> answers = three_containers();
  answers.erase("/containers/" + kWebId + "/json");
  FakeEngine engine(answers);
  EXPECT_EQ(engine.client().find("web").error().kind, ErrorKind::NotFound);
}

TEST(ContainerEngineAnswer, MayBeChunked) {
  std::string list = "[" + entry(kWebId, R"("/web")") + "]";
  char size[32];
  snprintf(size, sizeof size, "%zx\r\n", list.size() - 3);
  std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n" + list.substr(0, 3) + "\r\n" +
                        size + list.substr(3) + "\r\n0\r\n\r\n";
  FakeEngine engine({{"/containers/json?all=1", chunked}});
  Result<std::vector<Container>> containers = engine.client().list();
  ASSERT_TRUE(containers) << containers.error().message;
  EXPECT_EQ(containers->at(0).name, "web");
}

TEST(ContainerEngineAnswer, IsRefusedWhenItIsNotWhatItShouldBe) {
  for (const char* answer : {
           "nonsense",
           "HTTP/1.0 200 OK\r\n",
           "HTTP/1.0 500 Internal Server Error\r\n\r\n{}",
           "HTTP/1.0 200 OK\r\n\r\n[{",
           "HTTP/1.0 200 OK\r\n\r\n[{}]",
           "HTTP/1.0 200 OK\r\n\r\n[7]",
           "HTTP/1.0 200 OK\r\n\r\n[{\"Id\":7,\"Names\":[]}]",
           "HTTP/1.0 200 OK\r\n\r\n[{\"Id\":\"\xff\",\"Names\":[]}",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n[]\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n[]\r\n",
       }) {
    FakeEngine engine({{"/containers/json?all=1", answer}});
    Result<Container> found = engine.client().find("web");
    ASSERT_FALSE(found) << answer;
    EXPECT_NE(found.error().message.find("cannot be understood"), std::string::npos) << found.error().message;
  }
}

TEST(ContainerEngineAnswer, MayNotSmuggleAPathInAnId) {
  FakeEngine engine({{"/containers/json?all=1", ok("[" + entry("../images", R"("/web")") + "]")}});
  EXPECT_FALSE(engine.client().find("web"));
}

TEST(ContainerEngineAnswer, IsRefusedAboveEightMebibytes) {
  FakeEngine engine({{"/containers/json?all=1", ok("[\"" + std::string(9 << 20, 'x') + "\"]")}});
  Result<Container> found = engine.client().find("web");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::Limit);
}

TEST(ContainerEngineAnswer, IsNotWaitedForLongerThanFiveSeconds) {
  FakeEngine engine({{"/containers/json?all=1", ""}});
  int64_t began_ns = now().steady_ns;
  Result<Container> found = engine.client().find("web");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::Timeout);
  EXPECT_LT(now().steady_ns - began_ns, 20 * kSecond_ns);
}

TEST(ContainerEngine, ThatIsNotThereIsNamed) {
  Result<Container> found = ContainerEngine("/tmp/waylay-kernel-no-such.sock").find("web");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::Unavailable);
  EXPECT_NE(found.error().message.find("/tmp/waylay-kernel-no-such.sock"), std::string::npos);
}

TEST(ContainerIdInCgroup, IsReadFromTheWaysEnginesNameCgroups) {
  std::string id(64, 'c');
  for (const std::string& path :
       {"/docker/" + id, "/system.slice/docker-" + id + ".scope", "/docker/" + id + "/inner/most",
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podab12.slice/cri-containerd-" + id + ".scope",
        "/kubepods/burstable/pod1-2-3/" + id, "/machine.slice/libpod-" + id + ".scope/container",
        "/kubepods.slice/crio-" + id + ".scope",
        "/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:" + id})
    EXPECT_EQ(container_id_in(path), id) << path;
}

TEST(ContainerIdInCgroup, IsNotSeenWhereThereIsNone) {
  for (const std::string& path : {std::string("/"), std::string("/user.slice/user-1000.slice/session-2.scope"),
                                  "/docker/" + std::string(63, 'c'), "/docker/" + std::string(64, 'g'), std::string()})
    EXPECT_EQ(container_id_in(path), std::nullopt) << path;
}

}  // namespace
}  // namespace waylay::kernel
