#include "warden/bundle_mount.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "warden/bundles.h"
#include "warden/files.h"
#include "warden/helper.h"

namespace waylay::warden {
namespace {

using Json = nlohmann::json;

constexpr int kScanTimeout_ms = 15'000;
constexpr int kMountTimeout_ms = 10'000;
constexpr size_t kMaximumMountinfo = size_t{8} * 1024 * 1024;
constexpr size_t kMaximumMerged = 64;

// OpenSSL's other way to find roots is a directory of files named by hash, which cannot be merged by a mount over a
// file.
constexpr const char* kHashedCertificates = "/etc/ssl/certs/*.0";
constexpr std::string_view kHashedNote =
    "/etc/ssl/certs: left as it is; programs that look certificates up there by their hash (Python's ssl defaults on "
    "Debian: "
    "urllib, aiohttp) will refuse us unless they are started with SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt";

std::string proc(pid_t pid, const char* what) {
  return "/proc/" + std::to_string(pid) + "/" + what;
}

Json to_json(const MergedBundle& bundle) {
  return {{"path", bundle.path}, {"device", bundle.device},           {"inode", bundle.inode},
          {"file", bundle.file}, {"file_device", bundle.file_device}, {"file_inode", bundle.file_inode}};
}

MergedBundle bundle_from(const Json& json) {
  return {json.at("path"), json.at("device"),      json.at("inode"),
          json.at("file"), json.at("file_device"), json.at("file_inode")};
}

uint64_t device_of(const struct statx& status) {
  return (static_cast<uint64_t>(status.stx_dev_major) << 32) | status.stx_dev_minor;
}

bool is_file(int fd, uint64_t device, uint64_t inode) {
  struct statx status{};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) < 0) return false;
  return device_of(status) == device && status.stx_ino == inode;
}

// --- Looking and merging ---

class Scanner {
 public:
  Scanner(int root_fd, int merged_fd, std::string prefix, std::string ca_pem, std::vector<MountLine> mounts)
      : root_fd_(root_fd),
        merged_fd_(merged_fd),
        prefix_(std::move(prefix)),
        ca_pem_(std::move(ca_pem)),
        mounts_(std::move(mounts)) {}

  Result<void> look_at(const std::string& candidate) {
    Result<RootedFile> file = open_in_root(root_fd_, candidate);
    if (!file && file.error().kind == ErrorKind::NotFound) return {};
    if (!file) return note(file.error().message);
    // Bundles are often links to one another: each real file once.
    if (!seen_.emplace(file->device, file->inode).second) return {};
    if (is_shared(file->mount_id)) return note(file->path + ": left alone, its mount is shared with other namespaces");
    if (scan_.bundles.size() >= kMaximumMerged) return note(file->path + ": left alone, there are too many bundles");
    return merge(*file);
  }

  BundleScan take() { return std::move(scan_); }

 private:
  Result<void> note(std::string text) {
    scan_.notes.push_back(std::move(text));
    return {};
  }

  bool is_shared(uint64_t mount_id) const {
    auto found = std::ranges::find(mounts_, mount_id, &MountLine::id);
    return found == mounts_.end() || found->shared;
  }

  Result<void> merge(const RootedFile& original) {
    Result<std::string> text = read_rooted(original);
    if (!text) return note(text.error().message);
    if (!holds_certificates(*text)) return note(original.path + ": left alone, it holds no PEM certificates");
    std::string merged = merge_bundle(*text, ca_pem_);
    if (merged.empty()) return {};
    return write_copy(original, merged);
  }

  Result<void> write_copy(const RootedFile& original, const std::string& text) {
    MergedBundle bundle{.path = original.path, .device = original.device, .inode = original.inode};
    bundle.file = prefix_ + std::to_string(scan_.bundles.size()) + ".pem";
    Fd copy(::openat(merged_fd_, bundle.file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!copy) return fail(posix_error(errno, "writing a merged bundle"));
    scan_.bundles.push_back(bundle);  // from here on it is removed with the others
    if (Result<void> written = write_all(copy.get(), text, "a merged bundle"); !written) return written;
    take_after(original, copy.get());
    struct statx status{};
    if (::statx(copy.get(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) < 0)
      return fail(posix_error(errno, "a merged bundle"));
    scan_.bundles.back().file_device = device_of(status);
    scan_.bundles.back().file_inode = status.stx_ino;
    return {};
  }

  static void take_after(const RootedFile& original, int copy) {
    // Without the container's SELinux label, its processes could not read the copy. Where there is no SELinux, no
    // label.
    std::array<char, 512> label;
    std::string path = "/proc/self/fd/" + std::to_string(original.fd.get());
    ssize_t length = ::getxattr(path.c_str(), "security.selinux", label.data(), label.size());
    if (length > 0) (void)!::fsetxattr(copy, "security.selinux", label.data(), static_cast<size_t>(length), 0);
    // The owner last: afterwards the mode is the new owner's to change (the service has no CAP_FOWNER).
    ::fchmod(copy, original.mode & 0444);
    (void)!::fchown(copy, original.user, original.group);
  }

  int root_fd_, merged_fd_;
  std::string prefix_, ca_pem_;
  std::vector<MountLine> mounts_;
  std::set<std::pair<uint64_t, uint64_t>> seen_;
  BundleScan scan_;
};

void remove_copies(int merged_fd, const std::vector<MergedBundle>& bundles) {
  for (const MergedBundle& bundle : bundles) ::unlinkat(merged_fd, bundle.file.c_str(), 0);
}

std::string to_text(const BundleScan& scan) {
  Json bundles = Json::array();
  for (const MergedBundle& bundle : scan.bundles) bundles.push_back(to_json(bundle));
  return Json{{"bundles", bundles}, {"notes", scan.notes}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<BundleScan> scan_from(const std::string& text) {
  try {
    Json json = Json::parse(text);
    BundleScan scan;
    for (const Json& bundle : json.at("bundles")) scan.bundles.push_back(bundle_from(bundle));
    json.at("notes").get_to(scan.notes);
    return scan;
  } catch (const Json::exception& error) {
    return fail(Error::local(ErrorKind::Invalid, std::string("a helper's answer: ") + error.what()));
  }
}

Result<std::string> scan(const std::vector<pid_t>& processes, int root_fd, int merged_fd, const std::string& prefix,
                         const std::string& ca_pem) {
  Fd file(::open(proc(processes.front(), "mountinfo").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail(posix_error(errno, "reading the target's mounts"));
  Result<std::string> mountinfo = read_all(file.get(), kMaximumMountinfo, "the target's mounts");
  if (!mountinfo) return fail(mountinfo);
  Scanner scanner(root_fd, merged_fd, prefix, ca_pem, parse_mountinfo(*mountinfo));
  for (const std::string& candidate : bundle_candidates(root_fd, processes)) {
    if (Result<void> looked = scanner.look_at(candidate); looked)
      continue;
    else {
      remove_copies(merged_fd, scanner.take().bundles);
      return fail(looked);
    }
  }
  BundleScan done = scanner.take();
  if (!expand_in_root(root_fd, kHashedCertificates, 1).empty()) done.notes.emplace_back(kHashedNote);
  return to_text(done);
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
  Fd file(::openat(proc_fd, "mountinfo", O_RDONLY | O_CLOEXEC));
  if (!file) return fail(posix_error(errno, "reading the target's mounts"));
  Result<std::string> mountinfo = read_all(file.get(), kMaximumMountinfo, "the target's mounts");
  if (!mountinfo) return fail(mountinfo);
  Result<void> all;
  for (const MountLine& line : parse_mountinfo(*mountinfo)) {
    auto bundle =
        std::ranges::find_if(bundles, [&](const MergedBundle& each) { return ends_with_file(line.root, each.file); });
    if (bundle == bundles.end()) continue;
    if (Result<void> done = unmount_if_ours(line, *bundle); !done) all = done;
  }
  if (!all) return fail(all);
  return std::string();
}

// mountinfo writes blank, tab, newline and backslash as \ooo.
std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    bool escape = text[i] == '\\' && i + 3 < text.size();
    if (!escape) {
      out += text[i];
      continue;
    }
    out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
    i += 3;
  }
  return out;
}

Result<Fd> open_namespace(pid_t process) {
  Fd fd(::open(proc(process, "ns/mnt").c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail(posix_error(errno, "opening the mount namespace of process " + std::to_string(process)));
  return fd;
}

}  // namespace

std::vector<MountLine> parse_mountinfo(std::string_view text) {
  std::vector<MountLine> lines;
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) {
    // 36 35 98:0 /root /mount/point rw,noatime shared:1 master:2 - ext4 /dev/root rw
    std::istringstream fields(line);
    MountLine mount;
    std::string parent, device, root, point, options, optional;
    if (!(fields >> mount.id >> parent >> device >> root >> point >> options)) continue;
    while (fields >> optional && optional != "-") mount.shared = mount.shared || optional.starts_with("shared:");
    mount.root = unescaped(root);
    mount.mount_point = unescaped(point);
    lines.push_back(std::move(mount));
  }
  return lines;
}

Result<BundleScan> scan_bundles(const std::vector<pid_t>& processes, const std::string& merged_directory,
                                const std::string& name_prefix, const std::string& ca_pem) {
  // Opening the magic link asks nothing of the container's file systems; everything below it is left to the helper.
  Fd root(::open(proc(processes.front(), "root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return fail(posix_error(errno, "opening the root of process " + std::to_string(processes.front())));
  Fd merged(::open(merged_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!merged) return fail(posix_error(errno, "opening " + merged_directory));
  auto work = [&] { return scan(processes, root.get(), merged.get(), name_prefix, ca_pem); };
  Result<std::string> answer = run_helper(work, {root.get(), merged.get()}, kScanTimeout_ms);
  if (!answer) return fail(answer, "looking for certificate bundles");
  return scan_from(*answer);
}

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
