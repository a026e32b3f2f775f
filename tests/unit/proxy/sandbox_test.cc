#include "warden/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <thread>

#include "io/ring.h"

namespace waylay::proxy {
namespace {

// A filter stays for the life of its process: each test has one of its own. True when `holds` does in there.
bool in_sandbox(bool makes_sockets, const std::function<bool()>& holds) {
  pid_t child = fork();
  if (child == 0) {
    Result<void> entered = warden::install_seccomp(makes_sockets);
    _exit(entered && holds() ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool refused(long result) {
  return result == -1 && errno == EPERM;
}

TEST(Sandbox, WritesNoFileAndStartsNoProgram) {
  EXPECT_TRUE(in_sandbox(false, [] { return refused(open("/dev/null", O_WRONLY)); }));
  EXPECT_TRUE(in_sandbox(false, [] { return refused(open("/tmp/waylay-no-such-file", O_RDONLY | O_CREAT, 0600)); }));
  EXPECT_TRUE(in_sandbox(false, [] { return refused(unlink("/tmp/waylay-no-such-file")); }));
  EXPECT_TRUE(in_sandbox(false, [] { return refused(execl("/bin/true", "true", nullptr)); }));
  EXPECT_TRUE(in_sandbox(false, [] { return refused(fork()); }));
}

TEST(Sandbox, MakesNoRingAndNoExecutableMemory) {
  EXPECT_TRUE(in_sandbox(false, [] { return refused(syscall(SYS_io_uring_setup, 8, nullptr)); }));
  EXPECT_TRUE(
      in_sandbox(false, [] { return refused(syscall(SYS_io_uring_register, 0, IORING_REGISTER_FILES, nullptr, 0)); }));
  EXPECT_TRUE(in_sandbox(false, [] {
    void* code = mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return code == MAP_FAILED && errno == EPERM;
  }));
}

TEST(Sandbox, SignalsAndTracesNobody) {
  EXPECT_TRUE(in_sandbox(false, [] { return refused(kill(getppid(), 0)); }));
  EXPECT_TRUE(in_sandbox(false, [] { return refused(syscall(SYS_ptrace, 0, 0, 0, 0)); }));
  EXPECT_TRUE(in_sandbox(false, [] { return refused(syscall(SYS_tgkill, getppid(), getppid(), 0)); }));
}

TEST(Sandbox, MakesSocketsOnlyForListenAndOnlyTcp) {
  auto tcp = [] { return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); };
  EXPECT_TRUE(in_sandbox(false, [&] { return refused(tcp()); }));
  EXPECT_TRUE(in_sandbox(true, [&] { return tcp() >= 0; }));
  EXPECT_TRUE(in_sandbox(true, [] { return socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0; }));
  EXPECT_TRUE(in_sandbox(true, [] { return refused(socket(AF_NETLINK, SOCK_RAW, 0)); }));
  EXPECT_TRUE(in_sandbox(true, [] { return refused(socket(AF_INET, SOCK_DGRAM, 0)); }));
}

TEST(Sandbox, RunsAWorkersRingInAThread) {
  pid_t child = fork();
  if (child == 0) {
    Result<std::unique_ptr<io::Ring>> ring = io::Ring::make();
    bool worked = false;
    if (ring && warden::install_seccomp()) {
      std::thread([&] { worked = (*ring)->enable() && (*ring)->run_once(now().steady_ns + kMillisecond_ns); }).join();
    }
    _exit(worked ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(Sandbox, ABrokenInvariantStillEndsTheProcess) {
  pid_t child = fork();
  if (child == 0) {
    if (warden::install_seccomp()) std::abort();
    _exit(1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) << status;
}

}  // namespace
}  // namespace waylay::proxy
