#include "kernel/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "kernel/proc_file.h"

namespace waylay::kernel {
namespace {

constexpr size_t kMountinfoLimit = 4 << 20;  // a host with thousands of containers
constexpr size_t kProcsLimit = 4 << 20;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// Blanks in mount points are written as octal escapes: "\040".
std::string unescape_octal(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, value, 8).ptr == text.data() + i + 4) {
      plain.push_back(static_cast<char>(value));
      i += 3;
      continue;
    }
    plain.push_back(text[i]);
  }
  return plain;
}

// No component may lead upwards or be empty: what is resolved is what is written.
bool is_plain_path(std::string_view path) {
  if (path.empty() || path.size() > 4096 || path.find('\0') != std::string_view::npos) return false;
  for (std::string_view part : split(path, '/'))
    if (part == "." || part == "..") return false;
  return true;
}

std::string normalize(std::string_view path) {
  std::string normal;
  for (std::string_view part : split(path, '/')) normal.append("/").append(part);
  return normal.empty() ? "/" : normal;
}

Result<Fd> open_below(const std::string& root, std::string_view path, int flags) {
  Fd base(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!base) return fail(posix_error(errno, "opening " + root));
  while (path.starts_with('/')) path.remove_prefix(1);
  std::string relative(path.empty() ? "." : path);
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  Fd fd(static_cast<int>(syscall(SYS_openat2, base.get(), relative.c_str(), &how, sizeof how)));
  if (!fd) return fail(posix_error(errno, "opening the cgroup /" + std::string(path)));
  return fd;
}

Result<void> write_whole(const std::string& path, const std::string& text) {
  Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return fail(posix_error(errno, "opening " + path));
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return fail(posix_error(errno, "writing " + path));
  return {};
}

void append_pids(std::string_view text, std::vector<pid_t>& pids) {
  for (std::string_view line : split(text, '\n')) {
    pid_t pid = 0;
    std::from_chars(line.data(), line.data() + line.size(), pid);
    if (pid > 0) pids.push_back(pid);  // 0: a process outside of our pid namespace
  }
}

using Directory = Handle<DIR, closedir>;

void collect_processes(const std::string& directory, int depth, std::vector<pid_t>& pids) {
  if (Result<std::string> procs = read_small_file(directory + "/cgroup.procs", kProcsLimit)) append_pids(*procs, pids);
  Directory children(opendir(directory.c_str()));
  if (!children || depth == 0) return;
  while (const dirent* entry = readdir(children.get()))
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
      collect_processes(directory + "/" + entry->d_name, depth - 1, pids);
}

}  // namespace

// proc(5): "36 35 98:0 /root /mount/point options [optional fields] - fstype source superoptions".
Result<std::string> cgroup2_mount_in(std::string_view mountinfo) {
  for (std::string_view line : split(mountinfo, '\n')) {
    size_t dash = line.find(" - ");
    if (dash == std::string_view::npos || !line.substr(dash + 3).starts_with("cgroup2 ")) continue;
    std::vector<std::string_view> fields = split(line.substr(0, dash), ' ');
    if (fields.size() >= 5) return unescape_octal(fields[4]);
  }
  return fail(Error::local(ErrorKind::Unavailable,
                           "cgroup2 is not mounted: mount it with `mount -t cgroup2 none /sys/fs/cgroup/unified`, or "
                           "start the system with systemd.unified_cgroup_hierarchy=1"));
}

Result<std::string> cgroup2_path_in(std::string_view proc_cgroup) {
  for (std::string_view line : split(proc_cgroup, '\n')) {
    if (!line.starts_with("0::")) continue;
    std::string path(line.substr(3));
    if (path.starts_with("/.."))
      return fail(Error::local(ErrorKind::NotFound,
                               "it is in the cgroup " + path + ", outside of the daemon's own cgroup namespace"));
    return path;
  }
  return fail(Error::local(ErrorKind::NotFound, "it is in no cgroup of version 2"));
}

Result<std::string> cgroup_of_process(pid_t pid) {
  std::string context = "finding the cgroup of process " + std::to_string(pid);
  Result<std::string> text = read_small_file("/proc/" + std::to_string(pid) + "/cgroup", 65536);
  if (!text) return fail(text, context);
  Result<std::string> path = cgroup2_path_in(*text);
  if (!path) return fail(path, context);
  return path;
}

Result<CgroupTree> CgroupTree::find() {
  Result<std::string> mountinfo = read_small_file("/proc/self/mountinfo", kMountinfoLimit);
  if (!mountinfo) return fail(mountinfo);
  Result<std::string> mount = cgroup2_mount_in(*mountinfo);
  if (!mount) return fail(mount);
  return CgroupTree(std::move(*mount));
}

std::string CgroupTree::directory(std::string_view path) const {
  return path == "/" ? mount_point_ : mount_point_ + std::string(path);
}

Result<std::string> CgroupTree::resolve(std::string_view text) const {
  if (!is_plain_path(text))
    return fail(Error::local(ErrorKind::Invalid, "'" + std::string(text) + "' is not the path of a cgroup"));
  std::string_view inside = text;
  std::string mount = mount_point_ + "/";
  if (text == mount_point_ || text.starts_with(mount)) inside.remove_prefix(mount_point_.size());
  std::string path = normalize(inside);
  Result<Fd> directory = open(path);
  if (!directory) return fail(directory);
  return path;
}

Result<Fd> CgroupTree::open(std::string_view path) const {
  Result<Fd> fd = open_below(mount_point_, path, O_RDONLY | O_DIRECTORY);
  if (!fd && fd.error().code == ENOENT)
    return fail(
        Error::local(ErrorKind::NotFound, "there is no cgroup " + std::string(path) + " below " + mount_point_));
  if (!fd) return fd;
  struct statfs file_system{};
  if (fstatfs(fd->get(), &file_system) != 0 || file_system.f_type != CGROUP2_SUPER_MAGIC)
    return fail(Error::local(ErrorKind::Invalid, directory(path) + " is not a cgroup of version 2"));
  return fd;
}

Result<std::string> CgroupTree::create_child(std::string_view parent, std::string_view name) const {
  if (name.empty() || name.find('/') != std::string_view::npos || !is_plain_path(name))
    return fail(Error::local(ErrorKind::Invalid, "'" + std::string(name) + "' is not a name for a cgroup"));
  Result<Fd> directory = open(parent);
  if (!directory) return fail(directory);
  std::string path = normalize(std::string(parent) + "/" + std::string(name));
  if (mkdirat(directory->get(), std::string(name).c_str(), 0755) == 0) return path;
  if (errno == EEXIST) return fail(Error::local(ErrorKind::Conflict, "the cgroup " + path + " exists already"));
  return fail(posix_error(errno, "making the cgroup " + path));
}

Result<void> CgroupTree::move_process(std::string_view path, pid_t pid) const {
  return write_whole(directory(path) + "/cgroup.procs", std::to_string(pid));
}

Result<void> CgroupTree::remove(std::string_view path) const {
  if (rmdir(directory(path).c_str()) == 0 || errno == ENOENT) return {};
  if (errno == EBUSY || errno == ENOTEMPTY)
    return fail(Error::local(ErrorKind::Conflict, "the cgroup " + std::string(path) + " is still in use"));
  return fail(posix_error(errno, "removing the cgroup " + std::string(path)));
}

Result<std::vector<pid_t>> CgroupTree::processes(std::string_view path) const {
  if (Result<Fd> directory = open(path); !directory) return fail(directory);
  constexpr int kDeepest = 64;
  std::vector<pid_t> pids;
  collect_processes(directory(path), kDeepest, pids);
  std::ranges::sort(pids);
  pids.erase(std::ranges::unique(pids).begin(), pids.end());
  return pids;
}

// kernfs: the inode number of the directory is the id, and the file handle holds the same eight bytes.
Result<uint64_t> cgroup_id(int cgroup_fd) {
  struct stat status{};
  if (fstat(cgroup_fd, &status) != 0) return fail(posix_error(errno, "asking for a cgroup's identity"));
  return status.st_ino;
}

Result<PopulatedWatch> PopulatedWatch::open(int cgroup_fd) {
  Fd events(openat(cgroup_fd, "cgroup.events", O_RDONLY | O_CLOEXEC));
  // The root cgroup has no such file: it is never empty and need not be watched.
  if (!events) return fail(posix_error(errno, "watching the cgroup's processes"));
  return PopulatedWatch(std::move(events));
}

bool PopulatedWatch::populated() const {
  char text[256];
  ssize_t size = pread(events_.get(), text, sizeof text, 0);
  if (size <= 0) return false;  // ENODEV: the cgroup was removed
  return std::string_view(text, static_cast<size_t>(size)).find("populated 1") != std::string_view::npos;
}

}  // namespace waylay::kernel
