#include "warden/preflight.h"

#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <optional>

#include "base/bytes.h"
#include "warden/files.h"

namespace waylay::warden {
namespace {

std::optional<long> read_number(const char* path) {
  Result<std::string> text = read_file(path, 64);
  if (!text) return std::nullopt;
  long value = 0;
  auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (code != std::errc()) return std::nullopt;
  return value;
}

std::unexpected<Error> unavailable(std::string message) {
  return fail(Error::local(ErrorKind::Unavailable, std::move(message)));
}

// kernel.io_uring_disabled, Linux 6.6 and newer: 1 leaves it to a group and to administrators, 2 to nobody.
Result<void> check_io_uring_sysctl(const Account& proxy) {
  long disabled = read_number("/proc/sys/kernel/io_uring_disabled").value_or(0);
  if (disabled == 0) return {};
  if (disabled == 1 && read_number("/proc/sys/kernel/io_uring_group").value_or(-1) == static_cast<long>(proxy.group))
    return {};
  std::string advice = "io_uring is disabled (kernel.io_uring_disabled=" + std::to_string(disabled) +
                       "): run `sysctl kernel.io_uring_disabled=0`";
  if (disabled == 1)
    advice += ", or allow the proxy's group with `sysctl kernel.io_uring_group=" + std::to_string(proxy.group) + "`";
  return unavailable(std::move(advice));
}

}  // namespace

Result<void> check_root() {
  if (::geteuid() == 0) return {};
  return fail(
      Error::local(ErrorKind::Permission,
                   "waylayd must be started as root (it gives its privileges up where they are not needed): try sudo"));
}

Result<void> check_kernel(std::string_view release) {
  unsigned major = 0, minor = 0;
  const char *begin = release.data(), *end = begin + release.size();
  auto [dot, code] = std::from_chars(begin, end, major);
  if (code == std::errc() && dot != end && *dot == '.') std::from_chars(dot + 1, end, minor);
  if (major > 6 || (major == 6 && minor >= 1)) return {};
  return unavailable("this kernel is Linux " + std::string(release) + "; Waylay needs Linux 6.1 or newer");
}

Result<void> check_kernel() {
  utsname name{};
  if (::uname(&name) < 0) return fail(posix_error(errno, "asking for the kernel's version"));
  return check_kernel(name.release);
}

Result<void> check_io_uring(const Account& proxy) {
  if (Result<void> sysctl = check_io_uring_sysctl(proxy); !sysctl) return sysctl;
  io_uring_params parameters{};
  parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED;
  Fd ring(static_cast<int>(::syscall(SYS_io_uring_setup, 8, &parameters)));
  if (ring) return {};
  if (errno == ENOSYS)
    return unavailable("this kernel was built without io_uring (CONFIG_IO_URING): use one that has it");
  if (errno == EPERM || errno == EACCES) {
    return unavailable(
        "io_uring is refused (EPERM): a container's seccomp profile? Start with --security-opt seccomp=unconfined, or "
        "outside");
  }
  return fail(posix_error(errno, "making an io_uring"));
}

Error with_advice_on_cgroups(Error error) {
  error.message = "cgroup2 is not available (" + error.message +
                  "): mount it with `mount -t cgroup2 none /sys/fs/cgroup/unified`, or boot with " +
                  "systemd.unified_cgroup_hierarchy=1";
  error.kind = ErrorKind::Unavailable;
  return error;
}

Error with_advice_on_bpf(Error error) {
  error.message = "eBPF is not available (" + error.message +
                  "): waylayd needs CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON and CAP_SYS_ADMIN, and a kernel " +
                  "with CONFIG_BPF_SYSCALL, CONFIG_CGROUP_BPF and CONFIG_DEBUG_INFO_BTF; lockdown mode or a "
                  "container's seccomp profile can refuse it too";
  error.kind = ErrorKind::Unavailable;
  return error;
}

}  // namespace waylay::warden
