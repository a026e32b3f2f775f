// The world of the kernel tests: network namespaces without a default route, cgroups, and forked clients inside them.
// Everything belongs to an object and goes away with it; what a killed run left is removed by the next one.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/handle.h"
#include "kernel/bpf_engine.h"
#include "kernel/cgroup.h"
#include "kernel/flow_map.h"
#include "kernel/netns.h"

namespace waylay::kernel::testing {

// What a forked process says to the test, line by line, and hears from it.
class Talk {
 public:
  Talk(Fd in, Fd out) : in_(std::move(in)), out_(std::move(out)) {}
  void say(const std::string& line);
  std::string hear();  // the next line; "" at the end or after ten seconds

 private:
  Fd in_;
  Fd out_;
  std::string pending_;
};

// A forked process that runs `work` and exits; killed, by its number, if it is still there at the end.
class Child {
 public:
  explicit Child(const std::function<void(Talk&)>& work);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  Talk& talk() { return *talk_; }
  void kill_now();  // SIGKILL, and wait for the end
  int wait();       // its exit status

 private:
  pid_t pid_ = -1;
  std::unique_ptr<Talk> talk_;
};

// A network namespace of our own with loopback up, kept by a process that sleeps in it.
class Namespace {
 public:
  Namespace();
  int fd() const { return fd_.get(); }
  uint64_t cookie() const;
  void run(const std::string& command) const;  // a shell command inside, e.g. "ip link ..."; must succeed
  pid_t holder() const { return holder_->pid(); }

 private:
  std::unique_ptr<Child> holder_;
  Fd fd_;
};

class Cgroup {
 public:
  explicit Cgroup(const std::string& name, const Cgroup* parent = nullptr);
  ~Cgroup();
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;
  int fd() const { return fd_.get(); }
  uint64_t id() const { return *cgroup_id(fd_.get()); }
  const std::string& path() const { return path_; }
  static const CgroupTree& tree();

 private:
  std::string path_;
  Fd fd_;
};

// How one client connects.
struct Plan {
  std::string to;
  bool v4_mapped = false;  // write an IPv4 destination as ::ffff:a.b.c.d on an IPv6 socket
  std::string device;      // SO_BINDTODEVICE
  std::string source;      // bind() to this address first
  int protocol = 0;
};

// Connects, reads a greeting line, and says "peer=... greeting=..." or what went wrong ("ENETUNREACH"). The socket is
// left in `kept`, if that is given.
std::string connect_and_describe(const Plan& plan, Fd* kept = nullptr);

// A client in a cgroup and a namespace.
class Client : public Child {
 public:
  Client(const Cgroup& cgroup, const Namespace& net, const std::function<void(Talk&)>& work);
};
// One that connects when told "go", says what it saw, and closes when told so again.
std::unique_ptr<Client> connecting_client(const Cgroup& cgroup, const Namespace& net, const Plan& plan);

struct Accepted {
  Fd fd;
  Address peer;
};
// Waits up to five seconds; no descriptor if nobody came.
Accepted accept_one(const Fd& listener);
bool nobody_waits(const Fd& listener);
void greet(const Accepted& accepted);  // "waylay\n"

bool eventually(const std::function<bool()>& condition);  // within five seconds

// One target namespace with listeners, one cgroup, an engine. The basis of most tests.
class RedirectTest : public ::testing::Test {
 protected:
  RedirectTest();
  // A veth pair to a second namespace where an origin greets with "origin\n" on 443 and 8443: 10.77.0.2 and
  // fd77::2. Without a default route.
  void connect_to_origin(bool with_ipv6 = true);
  RedirectConfig config() const;
  std::unique_ptr<Redirect> attach() { return attach(config()); }
  std::unique_ptr<Redirect> attach(const RedirectConfig& wanted);
  std::string direct(const Plan& plan, const Cgroup* other = nullptr);  // a client's words when nobody may accept
  std::optional<Origin> origin_of(const Accepted& accepted, uint16_t port = 0) const;

  Namespace net_;
  Cgroup cgroup_{"a"};
  Listeners listeners_;
  std::optional<BpfEngine> engine_;
  std::unique_ptr<Namespace> far_;
  std::unique_ptr<Child> origin_;
};

}  // namespace waylay::kernel::testing
