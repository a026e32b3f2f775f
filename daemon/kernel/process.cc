#include "kernel/process.h"

#include <dirent.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <map>

#include "kernel/cgroup.h"
#include "kernel/proc_file.h"

namespace waylay::kernel {
namespace {

constexpr size_t kEnvironmentLimit = 1 << 20;

std::string proc_path(pid_t pid, std::string_view file) {
  return "/proc/" + std::to_string(pid) + "/" + std::string(file);
}

Error no_such_process(pid_t pid) {
  return Error::local(ErrorKind::NotFound, "there is no process " + std::to_string(pid));
}

template <class T>
T number_at(std::string_view text) {
  T value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// proc(5), /proc/PID/stat: "pid (comm) state ppid ...", where comm may hold blanks and brackets: fields are counted
// from the last closing one, after which comes field 3.
std::string_view stat_field(std::string_view stat, int field) {
  size_t bracket = stat.rfind(')');
  if (bracket == std::string_view::npos) return {};
  std::string_view rest = stat.substr(bracket + 1);
  for (int at = 2; at < field; ++at) {
    size_t blank = rest.find(' ');
    if (blank == std::string_view::npos) return {};
    rest.remove_prefix(blank + 1);
  }
  return rest.substr(0, rest.find(' '));
}

std::string comm_of(std::string_view stat) {
  size_t open = stat.find('(');
  size_t close = stat.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  return std::string(stat.substr(open + 1, close - open - 1));
}

// The second number of a "Uid:\treal\teffective\t..." line.
uint32_t effective_id(std::string_view status, std::string_view label) {
  size_t at = status.find(label);
  if (at == std::string_view::npos) return 0;
  at = status.find('\t', at + label.size() + 1);
  return at == std::string_view::npos ? 0 : number_at<uint32_t>(status.substr(at + 1));
}

std::string read_link(const std::string& path) {
  char target[4096];
  ssize_t size = readlink(path.c_str(), target, sizeof target);
  return size > 0 ? std::string(target, static_cast<size_t>(size)) : std::string();
}

Result<uint64_t> namespace_inode(pid_t pid, const char* kind) {
  struct stat status{};
  if (stat(proc_path(pid, std::string("ns/") + kind).c_str(), &status) == 0) return status.st_ino;
  if (errno == ENOENT) return fail(no_such_process(pid));
  return fail(posix_error(errno, "asking for a namespace of process " + std::to_string(pid)));
}

using Directory = Handle<DIR, closedir>;

std::multimap<pid_t, pid_t> children_by_parent() {
  std::multimap<pid_t, pid_t> children;
  Directory proc(opendir("/proc"));
  if (!proc) return children;
  while (const dirent* entry = readdir(proc.get())) {
    pid_t pid = number_at<pid_t>(entry->d_name);
    if (pid <= 0) continue;
    if (Result<std::string> stat = read_small_file(proc_path(pid, "stat"), 4096))
      children.emplace(number_at<pid_t>(stat_field(*stat, 4)), pid);
  }
  return children;
}

}  // namespace

Result<Process> read_process(pid_t pid) {
  Result<std::string> stat = read_small_file(proc_path(pid, "stat"), 4096);
  if (!stat) return fail(no_such_process(pid));
  Result<std::string> status = read_small_file(proc_path(pid, "status"), 16384);
  if (!status) return fail(no_such_process(pid));
  Process process;
  process.pid = pid;
  process.parent = number_at<pid_t>(stat_field(*stat, 4));
  process.start_ticks = number_at<uint64_t>(stat_field(*stat, 22));
  process.uid = effective_id(*status, "\nUid:");
  process.gid = effective_id(*status, "\nGid:");
  process.comm = comm_of(*stat);
  process.exe = read_link(proc_path(pid, "exe"));
  if (Result<std::string> cgroup = cgroup_of_process(pid)) process.cgroup = std::move(*cgroup);
  return process;
}

Result<Fd> open_pidfd(pid_t pid) {
  Fd fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));  // close-on-exec by itself
  if (fd) return fd;
  // EINVAL (ENOENT on newer kernels): the number is that of a thread which leads no process.
  if (errno == ESRCH || errno == EINVAL || errno == ENOENT) return fail(no_such_process(pid));
  return fail(posix_error(errno, "watching process " + std::to_string(pid)));
}

Result<bool> has_ended(int pidfd) {
  pollfd waiting{.fd = pidfd, .events = POLLIN, .revents = 0};
  if (poll(&waiting, 1, 0) < 0) return fail(posix_error(errno, "looking at a process"));
  return waiting.revents != 0;
}

Result<std::vector<pid_t>> descendants(pid_t pid) {
  if (!read_small_file(proc_path(pid, "stat"), 64)) return fail(no_such_process(pid));
  std::multimap<pid_t, pid_t> children = children_by_parent();
  std::vector<pid_t> found;
  auto add_children_of = [&](pid_t parent) {
    auto [from, to] = children.equal_range(parent);
    for (auto each = from; each != to; ++each) found.push_back(each->second);
    children.erase(from, to);  // numbers reused while /proc was read could otherwise make a circle
  };
  add_children_of(pid);
  for (size_t i = 0; i < found.size(); ++i) add_children_of(found[i]);
  return found;
}

Result<std::vector<std::pair<std::string, std::string>>> read_environment(pid_t pid) {
  Result<std::string> text = read_small_file(proc_path(pid, "environ"), kEnvironmentLimit);
  if (!text) return fail(text, "reading the environment of process " + std::to_string(pid));
  std::vector<std::pair<std::string, std::string>> variables;
  for (std::string_view rest = *text; !rest.empty();) {
    size_t end = std::min(rest.find('\0'), rest.size());
    std::string_view entry = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    size_t equals = entry.find('=');
    if (equals != std::string_view::npos && equals > 0)
      variables.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
  }
  return variables;
}

Result<uint64_t> mount_namespace(pid_t pid) {
  return namespace_inode(pid, "mnt");
}
Result<uint64_t> network_namespace(pid_t pid) {
  return namespace_inode(pid, "net");
}

}  // namespace waylay::kernel
