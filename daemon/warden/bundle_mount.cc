#include "warden/bundle_mount.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "warden/bundles.h"
#include "warden/helper.h"
#include "warden/mount_lines.h"

namespace waylay::warden {
namespace {

constexpr int kMountTimeout_ms = 10'000;

std::string proc(pid_t pid, const char* what) {
  return "/proc/" + std::to_string(pid) + "/" + what;
}

bool is_file(int fd, uint64_t device, uint64_t inode) {
  struct statx status{};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) < 0) return false;
  return device_of(status) == device && status.stx_ino == inode;
}

// --- Mounting ---

Result<Fd> detached_copy(int merged_fd, const std::string& name) {
  Fd tree(::open_tree(merged_fd, name.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!tree) return fail(posix_error(errno, "cloning a merged bundle's mount"));
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  attributes.propagation = MS_PRIVATE;  // the host's directory may be on a shared mount
  if (::mount_setattr(tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) < 0) {
    return fail(posix_error(errno, "making a merged bundle read-only"));
  }
  return tree;
}

Result<Fd> open_original(const MergedBundle& bundle) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  Fd original(static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, bundle.path.c_str(), &how, sizeof how)));
  if (!original || !is_file(original.get(), bundle.device, bundle.inode)) {
    return fail(Error::local(ErrorKind::Conflict, bundle.path + ": changed while it was being merged; try again"));
  }
  return original;
}

Result<void> enter(int namespace_fd) {
  if (::setns(namespace_fd, CLONE_NEWNS) < 0) return fail(posix_error(errno, "entering the target's mount namespace"));
  return {};
}

Result<std::string> mount(const std::vector<MergedBundle>& bundles, int namespace_fd, int merged_fd) {
  std::vector<Fd> trees;
  for (const MergedBundle& bundle : bundles) {
    Result<Fd> tree = detached_copy(merged_fd, bundle.file);
    if (!tree) return fail(tree);
    trees.push_back(std::move(*tree));
  }
  if (Result<void> entered = enter(namespace_fd); !entered) return fail(entered);
  // What is opened before the first mount is what was looked at: all checks come first.
  std::vector<Fd> originals;
  for (const MergedBundle& bundle : bundles) {
    Result<Fd> original = open_original(bundle);
    if (!original) return fail(original);
    originals.push_back(std::move(*original));
  }
  for (size_t i = 0; i < bundles.size(); ++i) {
    constexpr unsigned kByDescriptors = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    if (::move_mount(trees[i].get(), "", originals[i].get(), "", kByDescriptors) < 0) {
      return fail(posix_error(errno, "mounting over " + bundles[i].path));
    }
  }
  return std::string();
}

// --- Unmounting ---

bool ends_with_file(std::string_view root, const std::string& file) {
  constexpr std::string_view kDeleted = "//deleted";  // as mountinfo marks a source whose name is gone
  if (root.ends_with(kDeleted)) root.remove_suffix(kDeleted.size());
  return root.ends_with("/" + file);
}

Result<void> unmount_if_ours(const MountLine& line, const MergedBundle& bundle) {
  Fd top(::open(line.mount_point.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!top) return {};
  if (!is_file(top.get(), bundle.file_device, bundle.file_inode)) {
    return fail(Error::local(ErrorKind::Conflict, line.mount_point + ": something else is mounted over our bundle"));
  }
  top.reset();
  if (::umount2(line.mount_point.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0) return {};
  return fail(posix_error(errno, "unmounting " + line.mount_point));
}

Result<std::string> unmount(const std::vector<MergedBundle>& bundles, int namespace_fd, int proc_fd) {
  if (Result<void> entered = enter(namespace_fd); !entered) return fail(entered);
  // /proc of the host, opened before: the target's own may be missing or somebody else's.
  Result<std::vector<MountLine>> mounts = mounts_of(proc_fd);
  if (!mounts) return fail(mounts);
  Result<void> all;
  for (const MountLine& line : *mounts) {
    auto bundle =
        std::ranges::find_if(bundles, [&](const MergedBundle& each) { return ends_with_file(line.root, each.file); });
    if (bundle == bundles.end()) continue;
    if (Result<void> done = unmount_if_ours(line, *bundle); !done) all = done;
  }
  if (!all) return fail(all);
  return std::string();
}

Result<Fd> open_namespace(pid_t process) {
  Fd fd(::open(proc(process, "ns/mnt").c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail(posix_error(errno, "opening the mount namespace of process " + std::to_string(process)));
  return fd;
}

}  // namespace

Result<void> mount_bundles(pid_t process, const std::vector<MergedBundle>& bundles,
                           const std::string& merged_directory) {
  Result<Fd> target = open_namespace(process);
  if (!target) return fail(target);
  Fd merged(::open(merged_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!merged) return fail(posix_error(errno, "opening " + merged_directory));
  auto work = [&] { return mount(bundles, target->get(), merged.get()); };
  Result<std::string> done = run_helper(work, {target->get(), merged.get()}, kMountTimeout_ms);
  if (done) return {};
  Result<void> undone = unmount_bundles(process, bundles);
  return undone ? fail(done) : fail(done, undone.error().message);
}

Result<void> unmount_bundles(pid_t process, const std::vector<MergedBundle>& bundles) {
  Result<Fd> target = open_namespace(process);
  if (!target) return fail(target);
  auto work = [&]() -> Result<std::string> {
    Fd own(::open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC));  // the helper's, not the warden's
    if (!own) return fail(posix_error(errno, "opening /proc/self"));
    return unmount(bundles, target->get(), own.get());
  };
  Result<std::string> done = run_helper(work, {target->get()}, kMountTimeout_ms);
  if (!done) return fail(done, "removing our certificate from bundles");
  return {};
}

}  // namespace waylay::warden
