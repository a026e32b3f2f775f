#include "kernel/support.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "base/check.h"
#include "base/clock.h"

namespace waylay::kernel::testing {
namespace {

constexpr std::string_view kCgroupPrefix = "waylay-kernel-test-";
constexpr int kPatience_ms = 5000;

bool readable(int fd, int timeout_ms) {
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, timeout_ms) == 1;
}

// Cgroups of test runs that were killed: their process is gone.
void remove_leftovers(const CgroupTree& tree) {
  std::vector<std::string> names;
  Handle<DIR, closedir> root(opendir(tree.mount_point().c_str()));
  while (const dirent* entry = root ? readdir(root.get()) : nullptr)
    if (std::string_view(entry->d_name).starts_with(kCgroupPrefix)) names.emplace_back(entry->d_name);
  for (const std::string& name : names) {
    pid_t owner = atoi(name.c_str() + kCgroupPrefix.size());
    if (kill(owner, 0) == 0 || errno != ESRCH) continue;
    std::string below = tree.directory("/" + name);
    if (system(("find '" + below + "' -depth -type d -exec rmdir {} + 2>/dev/null").c_str()) != 0) continue;
  }
}

std::string_view describe(int errno_value) {
  return strerrorname_np(errno_value);
}

std::string read_line(int fd) {
  std::string line;
  char byte = 0;
  while (line.size() < 200 && readable(fd, kPatience_ms)) {
    ssize_t size = read(fd, &byte, 1);
    if (size < 0) return std::string(describe(errno));
    if (size == 0 || byte == '\n') return line;
    line.push_back(byte);
  }
  return "silence";
}

Address mapped(const Address& v4) {
  uint8_t ip[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  std::memcpy(ip + 12, v4.ip.data(), 4);
  return Address::ipv6(ip, v4.port);
}

int connect_within(int fd, const Address& to) {
  sockaddr_storage name{};
  socklen_t size = to.to_sockaddr(name);
  if (connect(fd, reinterpret_cast<sockaddr*>(&name), size) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd waiting{.fd = fd, .events = POLLOUT, .revents = 0};
  if (poll(&waiting, 1, kPatience_ms) != 1) return ETIMEDOUT;
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

std::string peer_of(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) return std::string(describe(errno));
  return Address::from_sockaddr(name)->to_string();
}

// The origin: greets whoever comes, until it is killed.
void serve_greetings(Talk& talk) {
  std::vector<Fd> listeners;
  for (const char* at : {"0.0.0.0:443", "0.0.0.0:8443", "[::]:443", "[::]:8443"}) {
    Address address = *Address::parse(at);
    Fd fd(socket(address.family == Family::Ipv4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    int on = 1;
    if (address.family == Family::Ipv6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    sockaddr_storage name{};
    socklen_t size = address.to_sockaddr(name);
    CHECK(bind(fd.get(), reinterpret_cast<sockaddr*>(&name), size) == 0 && listen(fd.get(), 256) == 0);
    listeners.push_back(std::move(fd));
  }
  talk.say("ready");
  std::vector<Fd> open;
  while (true) {
    std::vector<pollfd> waiting;
    for (const Fd& each : listeners) waiting.push_back({.fd = each.get(), .events = POLLIN, .revents = 0});
    poll(waiting.data(), waiting.size(), -1);
    for (const pollfd& each : waiting)
      if (each.revents) {
        Fd accepted(accept4(each.fd, nullptr, nullptr, SOCK_CLOEXEC));
        if (accepted && write(accepted.get(), "origin\n", 7) == 7) open.push_back(std::move(accepted));
      }
  }
}

void enter(const Cgroup& cgroup, const Namespace& net) {
  CHECK(Cgroup::tree().move_process(cgroup.path(), getpid()));
  CHECK(setns(net.fd(), CLONE_NEWNET) == 0);
}

}  // namespace

void Talk::say(const std::string& line) {
  std::string whole = line + "\n";
  // The other side may have ended; the test then sees that from what it hears.
  if (write(out_.get(), whole.data(), whole.size()) < 0) return;
}

std::string Talk::hear() {
  size_t end = 0;
  while ((end = pending_.find('\n')) == std::string::npos) {
    char piece[4096];
    if (!readable(in_.get(), 2 * kPatience_ms)) return "";
    ssize_t size = read(in_.get(), piece, sizeof piece);
    if (size <= 0) return "";
    pending_.append(piece, static_cast<size_t>(size));
  }
  std::string line = pending_.substr(0, end);
  pending_.erase(0, end + 1);
  return line;
}

Child::Child(const std::function<void(Talk&)>& work) {
  int to_child[2];
  int to_parent[2];
  CHECK(pipe2(to_child, O_CLOEXEC) == 0 && pipe2(to_parent, O_CLOEXEC) == 0);
  pid_t parent = getpid();
  pid_ = fork();
  CHECK(pid_ >= 0);
  if (pid_ == 0) {
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    close(to_child[1]);
    close(to_parent[0]);
    Talk talk{Fd(to_child[0]), Fd(to_parent[1])};
    work(talk);
    _exit(0);
  }
  close(to_child[0]);
  close(to_parent[1]);
  talk_ = std::make_unique<Talk>(Fd(to_parent[0]), Fd(to_child[1]));
}

Child::~Child() {
  kill_now();
}

void Child::kill_now() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  wait();
}

int Child::wait() {
  int status = 0;
  if (pid_ > 0) waitpid(pid_, &status, 0);
  pid_ = -1;
  return status;
}

Namespace::Namespace() {
  holder_ = std::make_unique<Child>([](Talk& talk) {
    CHECK(unshare(CLONE_NEWNET) == 0);
    Fd control(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP;
    CHECK(ioctl(control.get(), SIOCSIFFLAGS, &request) == 0);
    control.reset();
    talk.say("ready");
    pause();
  });
  CHECK(holder_->talk().hear() == "ready");
  fd_ = std::move(*open_netns(holder_->pid()));
}

uint64_t Namespace::cookie() const {
  return *netns_cookie_of(fd_.get());
}

void Namespace::run(const std::string& command) const {
  // `ip netns exec` would hide the cgroups; nsenter changes nothing but the network.
  std::string whole = "nsenter --target " + std::to_string(holder()) + " --net sh -c '" + command + "'";
  int status = system(whole.c_str());
  if (status != 0) fprintf(stderr, "failed: %s\n", whole.c_str());
  CHECK(status == 0);
}

const CgroupTree& Cgroup::tree() {
  static const CgroupTree tree = [] {
    CgroupTree found = *CgroupTree::find();
    remove_leftovers(found);
    return found;
  }();
  return tree;
}

Cgroup::Cgroup(const std::string& name, const Cgroup* parent) {
  std::string whole = parent ? name : std::string(kCgroupPrefix) + std::to_string(getpid()) + "-" + name;
  path_ = *tree().create_child(parent ? parent->path() : "/", whole);
  fd_ = std::move(*tree().open(path_));
}

Cgroup::~Cgroup() {
  // A process that was just waited for may stay in its cgroup for a moment.
  eventually([&] { return tree().remove(path_).has_value(); });
}

std::string connect_and_describe(const Plan& plan, Fd* kept) {
  Address to = *Address::parse(plan.to);
  if (plan.v4_mapped) to = mapped(to);
  Fd fd(socket(to.family == Family::Ipv4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
               plan.protocol));
  if (!fd) return std::string(describe(errno));
  if (!plan.device.empty() && setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, plan.device.c_str(),
                                         static_cast<socklen_t>(plan.device.size())) != 0)
    return std::string(describe(errno));
  if (!plan.source.empty()) {
    sockaddr_storage name{};
    socklen_t size = Address::parse_ip(plan.source, 0)->to_sockaddr(name);
    if (bind(fd.get(), reinterpret_cast<sockaddr*>(&name), size) != 0) return std::string(describe(errno));
  }
  if (int error = connect_within(fd.get(), to); error != 0) return std::string(describe(error));
  std::string said = "peer=" + peer_of(fd.get()) + " greeting=" + read_line(fd.get());
  if (kept) *kept = std::move(fd);
  return said;
}

Client::Client(const Cgroup& cgroup, const Namespace& net, const std::function<void(Talk&)>& work)
    : Child([&](Talk& talk) {
        enter(cgroup, net);
        work(talk);
      }) {}

std::unique_ptr<Client> connecting_client(const Cgroup& cgroup, const Namespace& net, const Plan& plan) {
  return std::make_unique<Client>(cgroup, net, [&plan](Talk& talk) {
    Fd socket;
    talk.hear();
    talk.say(connect_and_describe(plan, &socket));
    talk.hear();
  });
}

Accepted accept_one(const Fd& listener) {
  if (!readable(listener.get(), kPatience_ms)) return {};
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  Fd fd(accept4(listener.get(), reinterpret_cast<sockaddr*>(&name), &size, SOCK_CLOEXEC));
  if (!fd) return {};
  return {std::move(fd), *Address::from_sockaddr(name)};
}

bool nobody_waits(const Fd& listener) {
  return !readable(listener.get(), 0);
}

void greet(const Accepted& accepted) {
  EXPECT_EQ(write(accepted.fd.get(), "waylay\n", 7), 7);
}

bool eventually(const std::function<bool()>& condition) {
  int64_t deadline_ns = now().steady_ns + 5 * kSecond_ns;
  while (!condition()) {
    if (now().steady_ns > deadline_ns) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

RedirectTest::RedirectTest() {
  rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_MEMLOCK, &unlimited);
  signal(SIGPIPE, SIG_IGN);
  listeners_ = std::move(*open_listeners(net_.fd(), 1));
  Result<BpfEngine> engine = BpfEngine::create({.max_flows = 1024, .max_targets = 16});
  if (!engine) fprintf(stderr, "%s\n", engine.error().message.c_str());
  CHECK(engine);
  engine_ = std::move(*engine);
}

void RedirectTest::connect_to_origin(bool with_ipv6) {
  far_ = std::make_unique<Namespace>();
  net_.run("ip link add veth0 type veth peer name veth1 && ip link set veth1 netns " + std::to_string(far_->holder()));
  std::string quiet = with_ipv6
                          ? "sysctl -qw net.ipv6.conf.VETH.accept_dad=0; ip -6 addr add fd77::N/64 dev VETH nodad; "
                          : "sysctl -qw net.ipv6.conf.VETH.disable_ipv6=1; ";
  auto configure = [&](const Namespace& net, const std::string& veth, const std::string& number) {
    std::string commands = quiet + "ip addr add 10.77.0.N/24 dev VETH && ip link set VETH up";
    for (size_t at; (at = commands.find("VETH")) != std::string::npos;) commands.replace(at, 4, veth);
    for (size_t at; (at = commands.find("N/")) != std::string::npos;) commands.replace(at, 1, number);
    net.run(commands);
  };
  configure(net_, "veth0", "1");
  configure(*far_, "veth1", "2");
  origin_ = std::make_unique<Child>([this](Talk& talk) {
    CHECK(setns(far_->fd(), CLONE_NEWNET) == 0);
    serve_greetings(talk);
  });
  CHECK(origin_->talk().hear() == "ready");
}

RedirectConfig RedirectTest::config() const {
  RedirectConfig config;
  config.target = 1;
  config.netns_cookie = net_.cookie();
  config.cgroup_fd = cgroup_.fd();
  config.ports = {443};
  config.listener_port_v4 = listeners_.port_v4;
  config.listener_port_v6 = listeners_.port_v6;
  return config;
}

std::unique_ptr<Redirect> RedirectTest::attach(const RedirectConfig& wanted) {
  Result<std::unique_ptr<Redirect>> redirect = engine_->attach(wanted);
  if (!redirect) ADD_FAILURE() << redirect.error().message;
  return redirect ? std::move(*redirect) : nullptr;
}

std::string RedirectTest::direct(const Plan& plan, const Cgroup* other) {
  auto client = connecting_client(other ? *other : cgroup_, net_, plan);
  client->talk().say("go");
  std::string said = client->talk().hear();
  EXPECT_TRUE(nobody_waits(listeners_.v4[0]));
  EXPECT_TRUE(nobody_waits(listeners_.v6[0]));
  return said;
}

std::optional<Origin> RedirectTest::origin_of(const Accepted& accepted, uint16_t port) const {
  uint16_t own = accepted.peer.family == Family::Ipv4 ? listeners_.port_v4 : listeners_.port_v6;
  FlowMap flows(Fd(fcntl(engine_->flows_fd(), F_DUPFD_CLOEXEC, 0)));
  Result<std::optional<Origin>> found = flows.find(net_.cookie(), accepted.peer, port ? port : own);
  if (!found) ADD_FAILURE() << found.error().message;
  return found ? *found : std::nullopt;
}

}  // namespace waylay::kernel::testing
