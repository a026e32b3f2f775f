// What is left to a process after drop_privileges() and install_seccomp(). Each case runs in a child.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/check.h"
#include "kernel/support.h"
#include "warden/sandbox.h"

namespace waylay::warden {
namespace {

using kernel::testing::Child;
using kernel::testing::Talk;

std::string outcome(bool ok) {
  return ok ? "allowed" : strerrorname_np(errno);
}

std::string in_dropped_child(const std::function<std::string()>& work, bool seccomp) {
  Account nobody = find_proxy_account("nobody")->account;
  Child child([&](Talk& talk) {
    Result<void> done = drop_privileges(nobody);
    if (done && seccomp) done = install_seccomp(false);
    talk.say(done ? work() : done.error().message);
  });
  return child.talk().hear();
}

std::string status_line(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
  }
  return "none";
}

TEST(Sandbox, LeavesNoPrivilege) {
  auto values = [] {
    std::string text;
    for (const char* name : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) text += status_line(name) + " ";
    return text + status_line("NoNewPrivs") + " " + status_line("Uid") + " " + status_line("Groups");
  };
  std::string none(16, '0');
  std::string uid = std::to_string(find_proxy_account("nobody")->account.user);
  std::string expected;
  for (int i = 0; i < 5; ++i) expected += none + " ";
  expected += "1 " + uid + "\t" + uid + "\t" + uid + "\t" + uid + "  ";  // no groups: the line holds a blank
  EXPECT_EQ(in_dropped_child(values, false), expected);
}

TEST(Sandbox, AnUnknownUserIsReplacedByNobody) {
  Result<ProxyAccount> account = find_proxy_account("waylay-no-such-user");
  ASSERT_TRUE(account);
  EXPECT_TRUE(account->substituted);
  EXPECT_EQ(account->account.name, "nobody");
  EXPECT_FALSE(find_proxy_account("root"));
  EXPECT_EQ(find_group("waylay-no-such-group"), static_cast<gid_t>(-1));
}

TEST(Sandbox, RefusesWhatAProxyNeverDoes) {
  auto refused = [](const std::function<bool()>& attempt) {
    return in_dropped_child([&] { return outcome(attempt()); }, true);
  };
  EXPECT_EQ(refused([] { return ::socket(AF_INET, SOCK_STREAM, 0) >= 0; }), "EPERM");
  EXPECT_EQ(refused([] { return ::execl("/bin/true", "true", nullptr) == 0; }), "EPERM");
  EXPECT_EQ(refused([] { return ::open("/tmp/warden-sandbox", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0; }), "EPERM");
  EXPECT_EQ(refused([] { return ::open("/dev/null", O_RDWR | O_CLOEXEC) >= 0; }), "EPERM");
  EXPECT_EQ(refused([] { return ::open("/tmp", O_TMPFILE | O_RDONLY, 0600) >= 0; }), "EPERM");
  EXPECT_EQ(refused([] {
              return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
            }),
            "EPERM");
  EXPECT_EQ(refused([] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0; }), "EPERM");
  EXPECT_EQ(refused([] { return ::kill(::getppid(), 0) == 0; }), "EPERM");
  EXPECT_EQ(refused([] { return ::unlink("/tmp/warden-sandbox") == 0; }), "EPERM");
  EXPECT_EQ(refused([] { return ::chmod("/tmp/warden-sandbox", 0777) == 0; }), "EPERM");
  EXPECT_EQ(refused([] { return ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0; }), "EPERM");
  EXPECT_EQ(refused([] { return ::fork() >= 0; }), "EPERM");
}

TEST(Sandbox, AllowsThreadsFilesToReadAndChannels) {
  auto work = [] {
    std::string said;
    std::thread([&] { said += "thread "; }).join();
    std::ifstream file("/proc/self/status");
    said += file.good() ? "file " : "no-file ";
    int ends[2];
    CHECK(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    said += ::send(ends[0], "x", 1, 0) == 1 ? "channel " : "no-channel ";
    void* memory = ::mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    said += memory != MAP_FAILED ? "memory " : "no-memory ";
    said += std::to_string(::prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0 ? -errno : 0);
    return said;
  };
  EXPECT_EQ(in_dropped_child(work, true).substr(0, 27), "thread file channel memory ");
}

TEST(Sandbox, AProgramErrorStillEndsTheProcess) {
  Account nobody = find_proxy_account("nobody")->account;
  Child child([&](Talk&) {
    if (drop_privileges(nobody) && install_seccomp(false)) ::abort();
  });
  int status = child.wait();
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  EXPECT_EQ(WTERMSIG(status), SIGABRT);
}

}  // namespace
}  // namespace waylay::warden
