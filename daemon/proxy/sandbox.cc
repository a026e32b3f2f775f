#include "proxy/sandbox.h"

#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "base/handle.h"

namespace waylay::proxy {
namespace {

using Filter = Handle<void, seccomp_release>;

// What the workers, the API's thread, the C library and OpenSSL use while the daemon runs.
constexpr int kAllowed[] = {
    // descriptors that exist
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(close),
    SCMP_SYS(fcntl),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(lseek),
    SCMP_SYS(dup),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(eventfd2),
    // sockets that exist
    SCMP_SYS(accept4),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(shutdown),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    // the rings, which are restricted themselves
    SCMP_SYS(io_uring_enter),
    // memory
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    // threads and time
    SCMP_SYS(futex),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(restart_syscall),
    // who am I, how much is there
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(uname),
    SCMP_SYS(sysinfo),
    SCMP_SYS(getrusage),
    SCMP_SYS(getrandom),
    // signals of our own
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
};

Result<void> refused(int code, std::string_view what) {
  return fail(posix_error(-code, "seccomp: " + std::string(what)));
}

Result<void> allow_plain(const Filter& filter) {
  for (int call : kAllowed)
    if (int code = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0); code < 0) return refused(code, "a rule");
  return {};
}

struct Condition {
  int call;
  scmp_arg_cmp argument;
};

scmp_arg_cmp equals(unsigned argument, uint64_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}
scmp_arg_cmp masked(unsigned argument, uint64_t mask, uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

Result<void> allow_with_conditions(const Filter& filter) {
  const Condition conditions[] = {
      {SCMP_SYS(bpf), equals(0, BPF_MAP_LOOKUP_ELEM)},  // the flow map and the counters, both read-only
      {SCMP_SYS(io_uring_register), equals(1, IORING_REGISTER_ENABLE_RINGS)},
      {SCMP_SYS(mmap), masked(2, PROT_EXEC, 0)},
      {SCMP_SYS(mprotect), masked(2, PROT_EXEC, 0)},
      {SCMP_SYS(clone), masked(0, CLONE_THREAD, CLONE_THREAD)},
      {SCMP_SYS(prctl), equals(0, PR_SET_NAME)},
      {SCMP_SYS(tgkill), equals(0, static_cast<uint64_t>(getpid()))},  // abort(3)
  };
  for (const Condition& each : conditions) {
    int code = seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, each.call, 1, &each.argument);
    if (code < 0) return refused(code, "a rule with a condition");
  }
  return {};
}

// A filter cannot look into clone3's structure. The C library takes ENOSYS for an old kernel and uses clone.
Result<void> hide_clone3(const Filter& filter) {
  int code = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  return code < 0 ? refused(code, "clone3") : Result<void>{};
}

Result<void> allow_own_sockets(const Filter& filter) {
  for (uint64_t family : {AF_INET, AF_INET6}) {
    const scmp_arg_cmp arguments[] = {equals(0, family), equals(1, SOCK_STREAM | SOCK_CLOEXEC)};
    int code = seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, arguments);
    if (code < 0) return refused(code, "socket");
  }
  return {};
}

}  // namespace

Result<void> enter_sandbox(const SandboxOptions& options) {
  Filter filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!filter) return refused(-ENOMEM, "making a filter");
  if (int code = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1); code < 0) return refused(code, "TSYNC");
  if (Result<void> added = allow_plain(filter); !added) return added;
  if (Result<void> added = allow_with_conditions(filter); !added) return added;
  if (Result<void> added = hide_clone3(filter); !added) return added;
  if (options.own_sockets)
    if (Result<void> added = allow_own_sockets(filter); !added) return added;
  if (int code = seccomp_load(filter.get()); code < 0) return refused(code, "loading the filter");
  return {};
}

}  // namespace waylay::proxy
