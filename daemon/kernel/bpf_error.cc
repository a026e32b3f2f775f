#include "kernel/bpf_error.h"

#include <bpf/libbpf.h>
#include <linux/capability.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "base/bytes.h"
#include "base/log.h"

namespace waylay::kernel {
namespace {

constexpr int kOldestMajor = 6;
constexpr int kOldestMinor = 1;
constexpr size_t kWarningsKept = 1200;  // the end of a verifier log, where the reason is

thread_local std::string warnings;

int on_libbpf_message(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG) return 0;  // hundreds of lines for each load, about libbpf itself
  std::array<char, 4096> line;
  if (vsnprintf(line.data(), line.size(), format, arguments) < 0) return 0;
  std::string_view text = trim(line.data());
  while (text.ends_with('\n')) text.remove_suffix(1);
  if (level == LIBBPF_WARN) {
    warnings.append(warnings.empty() ? "" : "; ").append(text);
    if (warnings.size() > kWarningsKept) warnings.erase(0, warnings.size() - kWarningsKept);
  }
  if (log::enabled(log::Level::Debug)) log::debug("event=libbpf message=" + log::quoted(text));
  return 0;
}

// The digits that the text begins with.
bool parse_number(std::string_view text, int& value) {
  return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc{};
}

// "6.1.0-28-amd64"; what cannot be read is not called too old.
bool is_too_old(std::string_view release) {
  int major = 0;
  int minor = 0;
  size_t dot = release.find('.');
  if (dot == std::string_view::npos || !parse_number(release.substr(0, dot), major)) return false;
  if (!parse_number(release.substr(dot + 1), minor)) return false;
  return std::pair(major, minor) < std::pair(kOldestMajor, kOldestMinor);
}

std::string missing_capabilities(uint64_t held) {
  struct Needed {
    int number;
    const char* name;
  };
  constexpr Needed kNeeded[] = {{CAP_BPF, "CAP_BPF"},
                                {CAP_NET_ADMIN, "CAP_NET_ADMIN"},
                                {CAP_PERFMON, "CAP_PERFMON"},
                                {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}};
  std::string missing;
  for (const Needed& needed : kNeeded)
    if (!(held >> needed.number & 1)) missing.append(missing.empty() ? "" : ", ").append(needed.name);
  return missing;
}

std::string cause_of_refusal(BpfStep step, const BpfEnvironment& environment) {
  std::string missing = missing_capabilities(environment.capabilities);
  if (!missing.empty()) return "the daemon lacks " + missing + ": run it as root, or grant them in the unit";
  if (step == BpfStep::Attach)
    return "another program is attached to this cgroup, or to one above it, in a way that allows no second one "
           "(see `bpftool cgroup tree`)";
  return "the kernel's verifier, a security module or kernel lockdown refused the program (see `waylayd --log debug`)";
}

}  // namespace

BpfEnvironment read_bpf_environment() {
  BpfEnvironment environment;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("CapEff:")) environment.capabilities = strtoull(line.c_str() + 7, nullptr, 16);
  utsname system{};
  if (uname(&system) == 0) environment.release = system.release;
  environment.has_btf = access("/sys/kernel/btf/vmlinux", R_OK) == 0;
  return environment;
}

std::string likely_cause(int errno_value, BpfStep step, const BpfEnvironment& environment) {
  if (is_too_old(environment.release)) return "this is Linux " + environment.release + ", and 6.1 or newer is needed";
  if (errno_value == EPERM || errno_value == EACCES) return cause_of_refusal(step, environment);
  if (step == BpfStep::Load && !environment.has_btf)
    return "this kernel has no type information (/sys/kernel/btf/vmlinux): it must be built with CONFIG_DEBUG_INFO_BTF";
  if (errno_value == ENOMEM) return "not enough memory for the maps: is the daemon's memory limited?";
  if (errno_value == ENOSYS) return "this kernel has no bpf(2): it must be built with CONFIG_BPF_SYSCALL";
  if (step == BpfStep::Attach && errno_value == EBADF) return "this is not a cgroup2 directory";
  if (step == BpfStep::Attach && errno_value == E2BIG) return "the cgroup has 64 programs of this kind already";
  if (errno_value == EINVAL) return "is this kernel built with CONFIG_CGROUP_BPF and CONFIG_BPF_JIT?";
  return {};
}

void capture_libbpf_log() {
  libbpf_set_print(on_libbpf_message);
}

std::string take_libbpf_warnings() {
  return std::exchange(warnings, {});
}

Error bpf_error(int code, BpfStep step, std::string_view what) {
  int errno_value = std::abs(code);
  Error error = posix_error(errno_value, what);
  std::string cause = likely_cause(errno_value, step, read_bpf_environment());
  std::string said = take_libbpf_warnings();
  if (!cause.empty()) error.message.append(": ").append(cause);
  if (!said.empty()) error.message.append(" [libbpf: ").append(said).append("]");
  return error;
}

}  // namespace waylay::kernel
