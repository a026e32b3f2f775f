#include "proxy/proxy.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "bpf/waylay.h"
#include "kernel/flow_map.h"
#include "unit/proxy/support.h"

namespace waylay::proxy {
namespace {

using namespace testing;
using warden::MessageType;

constexpr uint32_t kTarget = 7;
constexpr std::string_view kGreeting = "EHLO not a ClientHello at all\r\n";

// The kernel map that the hooks fill; here the tests do.
class FlowMapOfTests {
 public:
  FlowMapOfTests() {
    bpf_attr attributes{};
    attributes.map_type = BPF_MAP_TYPE_HASH;
    attributes.key_size = sizeof(waylay_flow_key);
    attributes.value_size = sizeof(waylay_origin);
    attributes.max_entries = 100;
    fd_ = Fd(static_cast<int>(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes)));
    CHECK(fd_);
  }
  int fd() const { return fd_.get(); }

  void redirect(uint64_t cookie, const Address& client, const Address& listener, const Address& destination) {
    waylay_flow_key key{};
    key.netns_cookie = cookie;
    std::memcpy(key.source, client.ip.data(), 4);
    key.source_port = client.port;
    key.listener_port = listener.port;
    key.family = WAYLAY_IPV4;
    waylay_origin origin{};
    std::memcpy(origin.address, destination.ip.data(), 4);
    origin.port = destination.port;
    origin.family = WAYLAY_IPV4;
    origin.target = kTarget;
    bpf_attr attributes{};
    attributes.map_fd = static_cast<uint32_t>(fd_.get());
    attributes.key = reinterpret_cast<uint64_t>(&key);
    attributes.value = reinterpret_cast<uint64_t>(&origin);
    CHECK(syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attributes, sizeof attributes) == 0);
  }

 private:
  Fd fd_;
};

// The proxy in a process of its own, sandboxed as it is in earnest; this end plays the warden.
class ProxyProcess {
 public:
  ProxyProcess() {
    auto [own, other] = channel_pair();
    control_ = std::move(own);
    pid_ = fork();
    if (pid_ == 0) {
      control_.reset();
      Result<std::unique_ptr<Proxy>> proxy = Proxy::start(std::move(other));
      _exit(proxy ? (*proxy)->run() : 99);
    }
    other.reset();
    give_up_after_patience(control_.get());
    start();
  }
  ~ProxyProcess() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }

  warden::Message next() {
    Result<warden::Message> message = warden::receive(control_.get());
    EXPECT_TRUE(message) << message.error().message;
    return message ? std::move(*message) : warden::Message{};
  }
  void tell(MessageType type, uint32_t target, std::string_view payload = {}, const std::vector<int>& fds = {}) {
    EXPECT_TRUE(warden::send(control_.get(), {.type = type, .target = target}, payload, fds));
  }

  void tell_to_close(uint32_t target) {
    EXPECT_TRUE(
        warden::send(control_.get(), {.type = MessageType::TargetRemoved, .target = target, .count = 1}, "now"));
  }

  // Both workers accept from one socket. The proxy alone holds it afterwards.
  Address attach() {
    Fd listener = listen_on_loopback();
    Address address = address_of(listener.get());
    cookie_ = *kernel::netns_cookie(listener.get());
    warden::TargetInfo info{.name = "docker:web", .netns_cookie = cookie_};
    tell(MessageType::TargetAdded, kTarget, warden::to_json(info), {listener.get(), listener.get()});
    EXPECT_EQ(next().header.type, MessageType::TargetReady);
    return address;
  }

  // A client whose connection the kernel has redirected.
  Fd redirected_client(const Address& listener, const Address& destination) {
    Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage storage{};
    socklen_t length = Address::ipv4(htonl(INADDR_LOOPBACK), 0).to_sockaddr(storage);
    CHECK(bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
    flows_.redirect(cookie_, address_of(fd.get()), listener, destination);
    length = listener.to_sockaddr(storage);
    CHECK(connect(fd.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
    give_up_after_patience(fd.get());
    return fd;
  }

  void leave() { control_.reset(); }

  int exit_status() {
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  std::optional<FakeWarden> first, second;  // one for each worker; their threads begin after the fork

 private:
  void start() {
    first.emplace();
    second.emplace();
    warden::StartInfo info{.workers = 2, .ca_certificate = first->ca_pem(), .log_level = "info"};
    Fd nothing(open("/dev/null", O_RDONLY | O_CLOEXEC));
    Fd one = first->take_channel(), two = second->take_channel();
    tell(MessageType::Start, 0, warden::to_json(info),
         {nothing.get(), flows_.fd(), nothing.get(), one.get(), two.get()});
    EXPECT_EQ(next().header.type, MessageType::Ready);
  }

  FlowMapOfTests flows_;
  Fd control_;
  pid_t pid_ = 0;
  uint64_t cookie_ = 0;
};

void echo(int number) {
  Fd fd(number);
  char part[4096];
  for (ssize_t n = 0; (n = read(fd.get(), part, sizeof part)) > 0;)
    if (!write_all(fd.get(), {part, static_cast<size_t>(n)})) return;
}

TEST(Proxy, ServesATargetInItsSandboxAndStopsWhenTold) {
  Origin origin(echo);
  ProxyProcess proxy;
  Address listener = proxy.attach();
  for (int i = 0; i < 20; i++) {
    Fd client = proxy.redirected_client(listener, origin.address());
    write_all(client.get(), kGreeting);
    shutdown(client.get(), SHUT_WR);
    EXPECT_EQ(read_all(client.get()), kGreeting);
  }
  EXPECT_EQ(origin.connections, 20);
  proxy.tell(MessageType::Stop, 0);
  EXPECT_EQ(proxy.exit_status(), 0);
}

TEST(Proxy, ResetsAConnectionThatNobodyRedirected) {
  ProxyProcess proxy;
  Fd client = connect_to(proxy.attach());
  EXPECT_EQ(read_all(client.get()), "[Connection reset by peer]");
}

TEST(Proxy, ADetachedTargetAcceptsNothingMoreAndItsOpenConnectionsGoOn) {
  Origin origin(echo);
  ProxyProcess proxy;
  Address listener = proxy.attach();
  Fd client = proxy.redirected_client(listener, origin.address());
  write_all(client.get(), kGreeting);
  EXPECT_EQ(read_some(client.get(), kGreeting.size()), kGreeting);

  proxy.tell(MessageType::TargetRemoved, kTarget, "asked for");
  EXPECT_EQ(proxy.next().header.type, MessageType::TargetDrained);
  Fd late(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  socklen_t length = listener.to_sockaddr(storage);
  EXPECT_EQ(connect(late.get(), reinterpret_cast<sockaddr*>(&storage), length), -1);
  EXPECT_EQ(errno, ECONNREFUSED);

  write_all(client.get(), kGreeting);
  EXPECT_EQ(read_some(client.get(), kGreeting.size()), kGreeting);
}

TEST(Proxy, DetachingNowClosesWhatIsOpen) {
  Origin origin(echo);
  ProxyProcess proxy;
  Fd client = proxy.redirected_client(proxy.attach(), origin.address());
  write_all(client.get(), kGreeting);
  EXPECT_EQ(read_some(client.get(), kGreeting.size()), kGreeting);
  proxy.tell_to_close(kTarget);
  EXPECT_EQ(read_all(client.get()), "[Connection reset by peer]");
  EXPECT_EQ(proxy.next().header.type, MessageType::TargetDrained);
}

TEST(Proxy, AnswersForATargetThatItNeverHad) {
  ProxyProcess proxy;
  proxy.tell(MessageType::TargetRemoved, 99, "never attached");
  warden::Message answer = proxy.next();
  EXPECT_EQ(answer.header.type, MessageType::TargetDrained);
  EXPECT_EQ(answer.header.target, 99U);
}

TEST(Proxy, EndsSoonAfterItsWardenThoughAConnectionIsOpen) {
  Origin origin(echo);
  ProxyProcess proxy;
  Fd client = proxy.redirected_client(proxy.attach(), origin.address());
  write_all(client.get(), kGreeting);
  EXPECT_EQ(read_some(client.get(), kGreeting.size()), kGreeting);
  proxy.leave();
  EXPECT_EQ(proxy.exit_status(), 0);
  EXPECT_EQ(read_all(client.get()), "[Connection reset by peer]");
}

TEST(Proxy, RefusesAFirstMessageThatIsNotStart) {
  auto [own, other] = channel_pair();
  ASSERT_TRUE(warden::send(own.get(), {.type = MessageType::Stop}, {}));
  Result<std::unique_ptr<Proxy>> proxy = Proxy::start(std::move(other));
  ASSERT_FALSE(proxy);
  EXPECT_EQ(proxy.error().message, "the warden's first message: it is not Start");
}

}  // namespace
}  // namespace waylay::proxy
