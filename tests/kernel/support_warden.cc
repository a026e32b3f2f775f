#include "kernel/support_warden.h"

#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/check.h"
#include "kernel/process.h"
#include "warden/protocol.h"

namespace waylay::warden::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kManner = "WAYLAY_FAKE_PROXY";

// --- The fake proxy ---

class FakeProxy {
 public:
  explicit FakeProxy(int control)
      : control_(control), manner_(static_cast<ProxyManner>(std::atoi(std::getenv(kManner)))) {}

  int run() {
    Result<Message> start = receive(control_);
    if (!start || start->header.type != MessageType::Start) return 3;
    inherited_ = std::move(start->descriptors);
    if (::geteuid() == 0) return 4;
    if (manner_ == ProxyManner::NeverReady) return 5;
    if (!send(control_, {.type = MessageType::Ready}, "")) return 6;
    while (true) {
      std::vector<pollfd> waiting = {{control_, POLLIN, 0}};
      for (const auto& [target, listener] : listeners_) waiting.push_back({listener.get(), POLLIN, 0});
      ::poll(waiting.data(), waiting.size(), -1);
      for (size_t i = 1; i < waiting.size(); ++i) {
        if (waiting[i].revents) greet(waiting[i].fd);
      }
      if (waiting[0].revents && !on_message()) return 0;
    }
  }

 private:
  void greet(int listener) {
    Fd accepted(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    if (accepted && ::write(accepted.get(), "waylay\n", 7) == 7) open_.push_back(std::move(accepted));
  }

  bool on_message() {
    Result<Message> message = receive(control_);
    if (!message || message->header.type == MessageType::Stop) return false;
    Header answer{.target = message->header.target};
    if (message->header.type == MessageType::TargetAdded) {
      if (manner_ == ProxyManner::DiesOfTargets) ::_exit(9);
      if (manner_ == ProxyManner::RefusesTargets) {
        answer.type = MessageType::TargetReady;
        answer.status = 1;
        return send(control_, answer, "no room").has_value();
      }
      for (Fd& listener : message->descriptors) listeners_.emplace_back(message->header.target, std::move(listener));
      answer.type = MessageType::TargetReady;
    } else {
      std::erase_if(listeners_, [&](const auto& each) { return each.first == message->header.target; });
      answer.type = MessageType::TargetDrained;
    }
    return send(control_, answer, "").has_value();
  }

  int control_;
  ProxyManner manner_;
  std::vector<Fd> inherited_, open_;
  std::vector<std::pair<uint32_t, Fd>> listeners_;
};

// The warden starts "this program --proxy-channel N"; before GoogleTest reads its arguments, this is the fake proxy
// then.
[[gnu::constructor]] void become_fake_proxy(int argc, char** argv, char**) {
  if (argc != 3 || std::strcmp(argv[1], "--proxy-channel") != 0 || !std::getenv(kManner)) return;
  ::_exit(FakeProxy(std::atoi(argv[2])).run());
}

// --- The fake container ---

bool enter_root(const std::string& root, unsigned long propagation) {
  // As container runtimes do it: the new root becomes the namespace's, the old one goes.
  return ::unshare(CLONE_NEWNS) == 0 && ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount(root.c_str(), root.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0 && ::chdir(root.c_str()) == 0 &&
         ::syscall(SYS_pivot_root, ".", ".") == 0 && ::umount2(".", MNT_DETACH) == 0 && ::chdir("/") == 0 &&
         ::mount("", "/", nullptr, propagation, nullptr) == 0;
}

void live(Talk& talk, const std::string& root, unsigned long propagation, const Cgroup* cgroup, const Namespace* net) {
  if (cgroup) CHECK(Cgroup::tree().move_process(cgroup->path(), ::getpid()));
  if (net) CHECK(::setns(net->fd(), CLONE_NEWNET) == 0);
  CHECK(enter_root(root, propagation));
  talk.say("ready");
  std::vector<Fd> kept(64);
  for (Fd& each : kept) {
    std::string to;
    while (to.empty()) to = talk.hear();
    kernel::testing::Plan plan;
    plan.to = to;
    talk.say(kernel::testing::connect_and_describe(plan, &each));
  }
}

}  // namespace

FakeContainer::FakeContainer(const std::string& root, unsigned long propagation, const Cgroup* cgroup,
                             const Namespace* net)
    : child_([&](Talk& talk) { live(talk, root, propagation, cgroup, net); }) {
  CHECK(child_.talk().hear() == "ready");
}

std::string FakeContainer::read(const std::string& path) const {
  std::ifstream file("/proc/" + std::to_string(pid()) + "/root" + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

size_t FakeContainer::mounts_of_ours() const {
  std::ifstream file("/proc/" + std::to_string(pid()) + "/mountinfo");
  size_t count = 0;
  for (std::string line; std::getline(file, line);) count += line.find("/waylay-") != std::string::npos;
  return count;
}

std::string FakeContainer::connect(const std::string& to) {
  child_.talk().say(to);
  return child_.talk().hear();
}

// --- The warden ---

RunningWarden::RunningWarden(const Configuration& configuration, ProxyManner manner)
    : socket_(configuration.runtime_directory + "/warden.sock"), child_([&](Talk& talk) {
        ::setenv(kManner, std::to_string(static_cast<int>(manner)).c_str(), 1);
        WardenOptions options;
        options.notify = [&](std::string_view state) { talk.say(std::string(state.substr(0, state.find('\n')))); };
        Result<void> ended = run(configuration, options);
        if (!ended) talk.say("failed: " + ended.error().message);
        ::_exit(ended ? 0 : 1);
      }) {}

std::string RunningWarden::start_word() {
  return child_.talk().hear();
}

nlohmann::json RunningWarden::ask(const nlohmann::json& request) const {
  return ask_raw(request.dump() + "\n");
}

nlohmann::json RunningWarden::ask_raw(const std::string& line) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_.copy(address.sun_path, socket_.size());
  Fd connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{30, 0};
  ::setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) return "no daemon";
  for (size_t done = 0; done < line.size();) {
    ssize_t sent = ::send(connection.get(), line.data() + done, line.size() - done, MSG_NOSIGNAL);
    if (sent <= 0) break;
    done += static_cast<size_t>(sent);
  }
  std::string answer;
  char piece[4096];
  for (ssize_t got; (got = ::recv(connection.get(), piece, sizeof piece, 0)) > 0;)
    answer.append(piece, static_cast<size_t>(got));
  return nlohmann::json::parse(answer, nullptr, false);
}

pid_t RunningWarden::proxy_pid() const {
  Result<std::vector<pid_t>> children = kernel::descendants(pid());
  return children && !children->empty() ? children->front() : -1;
}

int RunningWarden::end_by(int signal) {
  ::kill(pid(), signal);
  return wait();
}

size_t RunningWarden::namespaces_held() const {
  size_t count = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid()) + "/fd", error)) {
    std::string to = fs::read_symlink(entry.path(), error).string();
    count += to.starts_with("net:[") || to.starts_with("mnt:[") || to.find("/cgroup") != std::string::npos;
  }
  return count;
}

Places::Places() {
  std::string name = "/tmp/warden-test-XXXXXX";
  CHECK(::mkdtemp(name.data()) != nullptr);
  base = name;
  configuration.state_directory = base + "/state";
  configuration.runtime_directory = base + "/run";
  configuration.rules_directory = base + "/rules";
  configuration.docker_sockets = {base + "/no-docker.sock"};
  configuration.user = "nobody";
  configuration.group = "waylay-no-such-group";
  configuration.workers = 2;
}

Places::~Places() {
  fs::remove_all(base);
}

}  // namespace waylay::warden::testing
