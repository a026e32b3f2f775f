#include "kernel/process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace waylay::kernel {
namespace {

constexpr pid_t kNoProcess = 0x7ffffff0;  // beyond the largest pid_max

// A child that sleeps until the object goes.
class Sleeper {
 public:
  Sleeper() : pid_(fork()) {
    if (pid_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (true) pause();
  }
  ~Sleeper() { end(); }
  pid_t pid() const { return pid_; }
  void end() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_;
};

TEST(Process, IsDescribedFromProc) {
  Sleeper child;
  Result<Process> process = read_process(child.pid());
  ASSERT_TRUE(process) << process.error().message;
  EXPECT_EQ(process->pid, child.pid());
  EXPECT_EQ(process->parent, getpid());
  EXPECT_EQ(process->uid, geteuid());
  EXPECT_EQ(process->gid, getegid());
  EXPECT_GT(process->start_ticks, 0u);
  EXPECT_TRUE(process->exe.ends_with("unit_kernel")) << process->exe;
}

TEST(Process, MayHaveANameThatLooksLikeStatFields) {
  char before[16]{};
  prctl(PR_GET_NAME, before);
  prctl(PR_SET_NAME, "a) R 1 (b");
  Result<Process> process = read_process(getpid());
  prctl(PR_SET_NAME, before);
  ASSERT_TRUE(process);
  EXPECT_EQ(process->comm, "a) R 1 (b");
  EXPECT_EQ(process->parent, getppid());
}

TEST(Process, ThatDoesNotExistIsNotFound) {
  EXPECT_EQ(read_process(kNoProcess).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(open_pidfd(kNoProcess).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(descendants(kNoProcess).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(mount_namespace(kNoProcess).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(read_environment(kNoProcess).error().kind, ErrorKind::NotFound);
}

TEST(Process, TellsThroughItsPidfdThatItEnded) {
  Sleeper child;
  Result<Fd> pidfd = open_pidfd(child.pid());
  ASSERT_TRUE(pidfd);
  EXPECT_FALSE(*has_ended(pidfd->get()));
  child.end();
  EXPECT_TRUE(*has_ended(pidfd->get()));
}

TEST(Process, HasNoPidfdForAThreadThatLeadsNone) {
  Result<Fd> pidfd;
  std::thread([&] { pidfd = open_pidfd(gettid()); }).join();
  EXPECT_EQ(pidfd.error().kind, ErrorKind::NotFound);
}

TEST(Process, ListsItsDescendants) {
  Sleeper first;
  Sleeper second;
  Result<std::vector<pid_t>> found = descendants(getpid());
  ASSERT_TRUE(found);
  EXPECT_NE(std::ranges::find(*found, first.pid()), found->end());
  EXPECT_NE(std::ranges::find(*found, second.pid()), found->end());
  EXPECT_EQ(std::ranges::find(*found, getpid()), found->end());
  EXPECT_TRUE(descendants(first.pid())->empty());
}

TEST(Process, ShowsTheEnvironmentItWasStartedWith) {
  pid_t pid = fork();
  if (pid == 0) {
    const char* environment[] = {"AWS_CA_BUNDLE=/etc/ca.pem", "EMPTY=", "no-equals-sign", "TWO=a=b", nullptr};
    char program[] = "/bin/sleep";
    char duration[] = "30";
    char* arguments[] = {program, duration, nullptr};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execve(program, arguments, const_cast<char**>(environment));
    _exit(1);
  }
  using Variables = std::vector<std::pair<std::string, std::string>>;
  const Variables expected = {{"AWS_CA_BUNDLE", "/etc/ca.pem"}, {"EMPTY", ""}, {"TWO", "a=b"}};
  Variables seen;
  for (int attempt = 0; attempt < 500 && seen != expected; ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    seen = read_environment(pid).value_or(Variables{});
  }
  EXPECT_EQ(seen, expected);
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

TEST(Process, SharesItsNamespacesWithItsChildren) {
  Sleeper child;
  EXPECT_EQ(*mount_namespace(child.pid()), *mount_namespace(getpid()));
  EXPECT_EQ(*network_namespace(child.pid()), *network_namespace(getpid()));
}

}  // namespace
}  // namespace waylay::kernel
