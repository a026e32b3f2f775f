// The world of the warden's tests: a process in a root and mount namespace of its own, a small proxy in place of the
// real one (this program started again, see support_warden.cc), and a warden in a child process with its admin socket.
#pragma once

#include <sys/mount.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kernel/support.h"
#include "warden/warden.h"

namespace waylay::warden::testing {

using kernel::testing::Cgroup;
using kernel::testing::Child;
using kernel::testing::Namespace;
using kernel::testing::Talk;

// A process in a mount namespace and root of its own, as a container's is. It lives until it is killed.
class FakeContainer {
 public:
  // `propagation`: MS_PRIVATE, as Docker has it, or MS_SHARED. With a cgroup and a network namespace it is a whole
  // target.
  explicit FakeContainer(const std::string& root, unsigned long propagation = MS_PRIVATE,
                         const Cgroup* cgroup = nullptr, const Namespace* net = nullptr);

  pid_t pid() const { return child_.pid(); }
  void kill() { child_.kill_now(); }
  std::string read(const std::string& path) const;  // as it sees it
  size_t mounts_of_ours() const;
  std::string connect(const std::string& to);  // what connect_and_describe() says there

 private:
  Child child_;
};

// What the fake proxy does. It greets whoever is redirected to it with "waylay\n".
enum class ProxyManner { Good, NeverReady, RefusesTargets, DiesOfTargets };

class RunningWarden {
 public:
  explicit RunningWarden(const Configuration& configuration, ProxyManner manner = ProxyManner::Good);

  // "READY=1..." as notified, or "failed: ..." when it could not start.
  std::string start_word();
  nlohmann::json ask(const nlohmann::json& request) const;
  nlohmann::json ask_raw(const std::string& line) const;

  pid_t pid() const { return child_.pid(); }
  pid_t proxy_pid() const;
  void kill() { child_.kill_now(); }
  int end_by(int signal);  // its exit status
  int wait() { return child_.wait(); }
  size_t namespaces_held() const;  // descriptors of namespaces and cgroups; it begins with the test's own

 private:
  std::string socket_;
  Child child_;
};

// Directories of one daemon, removed with it.
struct Places {
  Places();
  ~Places();
  Configuration configuration;
  std::string base;
};

}  // namespace waylay::warden::testing
