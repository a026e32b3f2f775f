#include "warden/sandbox.h"

#include <cap-ng.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <vector>

#include "base/handle.h"

namespace waylay::warden {
namespace {

void release_filter(void* filter) {
  ::seccomp_release(filter);
}
using Filter = Handle<void, release_filter>;

std::optional<Account> find_account(const std::string& name) {
  std::vector<char> buffer(size_t{16} * 1024);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || !found) return std::nullopt;
  return Account{name, entry.pw_uid, entry.pw_gid};
}

Result<void> drop_capabilities() {
  capng_clear(CAPNG_SELECT_ALL);
  // The bounding set needs CAP_SETPCAP, so it is emptied before the rest goes.
  if (capng_apply(CAPNG_SELECT_BOUNDS) != 0) return fail(posix_error(EPERM, "emptying the capability bounding set"));
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) {
    return fail(posix_error(errno, "clearing ambient capabilities"));
  }
  return {};
}

Result<void> change_user(const Account& account) {
  if (::setgroups(0, nullptr) < 0) return fail(posix_error(errno, "dropping supplementary groups"));
  if (::setresgid(account.group, account.group, account.group) < 0)
    return fail(posix_error(errno, "changing the group"));
  if (::setresuid(account.user, account.user, account.user) < 0) return fail(posix_error(errno, "changing the user"));
  capng_clear(CAPNG_SELECT_CAPS);
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) return fail(posix_error(EPERM, "dropping capabilities"));
  if (::setuid(0) == 0) return fail(Error::local(ErrorKind::Permission, "the proxy could become root again"));
  return {};
}

// To `wanted` where we may (CAP_SYS_RESOURCE), else to what is allowed; too little is noticed by who needs it.
void raise(__rlimit_resource resource, rlim_t wanted) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) < 0) return;
  const rlimit more{std::max(limit.rlim_max, wanted), std::max(limit.rlim_max, wanted)};
  const rlimit allowed{limit.rlim_max, limit.rlim_max};
  if (::setrlimit(resource, &more) < 0) ::setrlimit(resource, &allowed);
}

Result<void> set_limits() {
  raise(RLIMIT_NOFILE, 0);
  raise(RLIMIT_MEMLOCK, 64 << 20);
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) < 0) return fail(posix_error(errno, "forbidding core files"));
  return {};
}

// Allowed whatever the arguments: they act on what the process has already.
constexpr std::array kPlain = {
    // Reading, writing and closing.
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(close),
    SCMP_SYS(close_range),
    SCMP_SYS(lseek),
    SCMP_SYS(fcntl),
    SCMP_SYS(dup),
    SCMP_SYS(eventfd2),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2),
    SCMP_SYS(pipe2),
    SCMP_SYS(pselect6),
    SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(getdents64),
    SCMP_SYS(inotify_init1),
    SCMP_SYS(inotify_add_watch),
    SCMP_SYS(inotify_rm_watch),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(access),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getcwd),
    SCMP_SYS(memfd_create),
    SCMP_SYS(ftruncate),
    // Sockets it was given: the API's listener, connections, channels. connect() is missing on purpose.
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(recvmsg),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    SCMP_SYS(shutdown),
    SCMP_SYS(socketpair),
    // Memory (mmap and mprotect without PROT_EXEC are below).
    SCMP_SYS(munmap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(mremap),
    SCMP_SYS(mincore),
    SCMP_SYS(membarrier),
    // Threads and signals.
    SCMP_SYS(futex),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(get_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_setaffinity),
    SCMP_SYS(sched_getparam),
    SCMP_SYS(sched_getscheduler),
    SCMP_SYS(getcpu),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(signalfd4),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(restart_syscall),
    // Time, chance, and who we are.
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(getrandom),
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(uname),
    SCMP_SYS(getrusage),
    SCMP_SYS(sysinfo),
    // Rings, made and restricted by then: only entering them and their buffer rings is of use.
    SCMP_SYS(io_uring_enter),
};

class Rules {
 public:
  explicit Rules(scmp_filter_ctx filter) : filter_(filter) {}

  void allow(int call) { note(::seccomp_rule_add_array(filter_, SCMP_ACT_ALLOW, call, 0, nullptr)); }
  void allow_when(int call, std::initializer_list<scmp_arg_cmp> conditions) {
    note(::seccomp_rule_add_array(filter_, SCMP_ACT_ALLOW, call, static_cast<unsigned>(conditions.size()),
                                  conditions.begin()));
  }
  void answer(int call, int error) {
    note(::seccomp_rule_add_array(filter_, SCMP_ACT_ERRNO(static_cast<unsigned>(error)), call, 0, nullptr));
  }
  int first_failure() const { return first_failure_; }

 private:
  void note(int result) {
    if (result < 0 && first_failure_ == 0) first_failure_ = -result;
  }
  scmp_filter_ctx filter_;
  int first_failure_ = 0;
};

scmp_arg_cmp equals(unsigned argument, uint64_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}
scmp_arg_cmp without_bits(unsigned argument, uint64_t bits) {
  return {argument, SCMP_CMP_MASKED_EQ, bits, 0};
}

void allow_restricted(Rules& rules) {
  rules.allow_when(SCMP_SYS(mmap), {without_bits(2, PROT_EXEC)});
  rules.allow_when(SCMP_SYS(mprotect), {without_bits(2, PROT_EXEC)});
  // Reading only: no writing, no creating (O_TMPFILE contains O_DIRECTORY, so its own bit is what is asked for).
  constexpr uint64_t kWrites = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);
  rules.allow_when(SCMP_SYS(openat), {without_bits(2, kWrites)});
  rules.allow_when(SCMP_SYS(open), {without_bits(1, kWrites)});
  rules.allow_when(SCMP_SYS(bpf), {equals(0, BPF_MAP_LOOKUP_ELEM)});
  for (uint64_t operation : {IORING_REGISTER_ENABLE_RINGS, IORING_REGISTER_PBUF_RING, IORING_UNREGISTER_PBUF_RING}) {
    rules.allow_when(SCMP_SYS(io_uring_register), {equals(1, operation)});
  }
  rules.allow_when(SCMP_SYS(prctl), {equals(0, PR_SET_NAME)});
  rules.allow_when(SCMP_SYS(prctl), {equals(0, PR_GET_NAME)});
  rules.allow_when(SCMP_SYS(prlimit64), {equals(2, 0)});  // reading: no new limit
  rules.allow_when(SCMP_SYS(clone), {{0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD}});
  // Signals to itself only, as abort() sends them.
  rules.allow_when(SCMP_SYS(tgkill), {equals(0, static_cast<uint64_t>(::getpid()))});
  // Its flags lie in memory, where a filter cannot look: told that it does not exist, glibc uses clone.
  rules.answer(SCMP_SYS(clone3), ENOSYS);
}

// For handlers: to what they can be connected is a matter of the proxy's user.
void allow_unix_sockets(Rules& rules) {
  rules.allow_when(SCMP_SYS(socket), {equals(0, AF_UNIX), equals(1, SOCK_STREAM | SOCK_CLOEXEC)});
}

void allow_tcp_sockets(Rules& rules) {
  for (uint64_t family : {AF_INET, AF_INET6}) {
    rules.allow_when(SCMP_SYS(socket), {equals(0, family), equals(1, SOCK_STREAM | SOCK_CLOEXEC)});
  }
}

}  // namespace

Result<ProxyAccount> find_proxy_account(const std::string& name) {
  if (std::optional<Account> account = find_account(name)) {
    if (account->user == 0)
      return fail(Error::local(ErrorKind::Invalid, "the proxy may not run as root (user \"" + name + "\")"));
    return ProxyAccount{*account, false};
  }
  if (std::optional<Account> nobody = find_account("nobody"); nobody && nobody->user != 0)
    return ProxyAccount{*nobody, true};
  return fail(
      Error::local(ErrorKind::NotFound, "neither user \"" + name + "\" nor \"nobody\" exists: make one of them"));
}

gid_t find_group(const std::string& name) {
  std::vector<char> buffer(size_t{64} * 1024);
  group entry{};
  group* found = nullptr;
  if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || !found)
    return static_cast<gid_t>(-1);
  return entry.gr_gid;
}

Result<void> drop_privileges(const Account& account) {
  ::umask(077);
  if (Result<void> limits = set_limits(); !limits) return limits;
  if (Result<void> capabilities = drop_capabilities(); !capabilities) return capabilities;
  if (Result<void> user = change_user(account); !user) return user;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return fail(posix_error(errno, "setting no_new_privs"));
  return {};
}

Result<void> install_seccomp(bool makes_sockets) {
  // exec() made the process dumpable again, so this belongs here and not before it: nobody of the same user may trace
  // it.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return fail(posix_error(errno, "forbidding to trace the proxy"));
  Filter filter(::seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!filter) return fail(Error::local(ErrorKind::System, "making the seccomp filter: out of memory"));
  ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_LOG, 1);
  Rules rules(filter.get());
  for (int call : kPlain) rules.allow(call);
  allow_restricted(rules);
  allow_unix_sockets(rules);
  if (makes_sockets) allow_tcp_sockets(rules);
  int failure = rules.first_failure();
  if (failure == 0) failure = -::seccomp_load(filter.get());
  if (failure == 0) return {};
  return fail(posix_error(failure, "installing the seccomp filter: does this kernel have CONFIG_SECCOMP_FILTER?"));
}

}  // namespace waylay::warden
