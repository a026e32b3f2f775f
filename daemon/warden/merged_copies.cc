#include "warden/merged_copies.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <filesystem>

#include "warden/files.h"

namespace waylay::warden {
namespace {

// A directory of certificates holds a few hundred links and some bundles; a container may put anything there.
constexpr size_t kMaximumBytes = size_t{32} * 1024 * 1024;
constexpr size_t kMaximumEntries = 4096;
constexpr int kMaximumDepth = 4;
constexpr int kMaximumNumber = 64;  // of files of one hash

std::string fd_path(int fd) {
  return "/proc/self/fd/" + std::to_string(fd);
}

// Without the container's SELinux label, its processes could not read the copy. Where there is no SELinux, no label.
void copy_label(const std::string& from, const std::string& to) {
  constexpr const char* kLabel = "security.selinux";
  std::array<char, 512> label;
  ssize_t length = ::lgetxattr(from.c_str(), kLabel, label.data(), label.size());
  if (length > 0) (void)!::lsetxattr(to.c_str(), kLabel, label.data(), static_cast<size_t>(length), 0);
}

void take_after(const RootedFile& original, int copy) {
  constexpr const char* kLabel = "security.selinux";
  std::array<char, 512> label;
  ssize_t length = ::getxattr(fd_path(original.fd.get()).c_str(), kLabel, label.data(), label.size());
  if (length > 0) (void)!::fsetxattr(copy, kLabel, label.data(), static_cast<size_t>(length), 0);
  // The owner last: afterwards the mode is the new owner's to change (the service has no CAP_FOWNER).
  ::fchmod(copy, original.mode & 0555);
  (void)!::fchown(copy, original.user, original.group);
}

Result<Fd> write_file(int directory_fd, const std::string& name, const RootedFile& like, std::string_view text) {
  Fd copy(::openat(directory_fd, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!copy) return fail(posix_error(errno, "writing a merged copy"));
  if (Result<void> written = write_all(copy.get(), text, "a merged copy"); !written) return fail(written);
  take_after(like, copy.get());
  return copy;
}

Result<Fd> make_directory_in(int directory_fd, const std::string& name) {
  if (::mkdirat(directory_fd, name.c_str(), 0700) < 0) return fail(posix_error(errno, "making a merged copy"));
  Fd copy(::openat(directory_fd, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!copy) return fail(posix_error(errno, "making a merged copy"));
  return copy;
}

// Copies what is in one directory into another, and what is in the directories below.
class TreeCopy {
 public:
  explicit TreeCopy(const MergedTexts& texts) : texts_(texts) {}

  Result<void> copy(const RootedFile& from, int to, int depth) {
    if (depth > kMaximumDepth) return fail(too_much(from));
    Result<std::vector<std::string>> names = names_in_rooted(from);
    if (!names) return fail(names);
    entries_ += names->size();
    if (entries_ > kMaximumEntries) return fail(too_much(from));
    for (const std::string& name : *names) {
      Result<RootedFile> entry = open_entry(from.fd.get(), name);
      if (!entry && entry.error().kind == ErrorKind::NotFound) continue;  // removed meanwhile
      if (!entry) return fail(entry);
      if (Result<void> copied = copy_entry(from, name, *entry, to, depth); !copied) return copied;
    }
    return {};
  }

 private:
  static Error too_much(const RootedFile& directory) {
    return Error::local(ErrorKind::Limit, directory.path + ": too much in it");
  }

  // Sockets, pipes and devices have no business here, and are left out.
  Result<void> copy_entry(const RootedFile& directory, const std::string& name, const RootedFile& entry, int to,
                          int depth) {
    if (entry.type == S_IFLNK) return copy_link(directory, name, to);
    if (entry.type == S_IFREG) return copy_file(name, entry, to);
    if (entry.type != S_IFDIR) return {};
    Result<Fd> below = make_directory_in(to, name);
    if (!below) return fail(below);
    if (Result<void> copied = copy(entry, below->get(), depth + 1); !copied) return copied;
    take_after(entry, below->get());
    return {};
  }

  static Result<void> copy_link(const RootedFile& directory, const std::string& name, int to) {
    std::array<char, PATH_MAX> target;
    ssize_t length = ::readlinkat(directory.fd.get(), name.c_str(), target.data(), target.size());
    if (length <= 0) return {};
    std::string text(target.data(), static_cast<size_t>(length));
    if (::symlinkat(text.c_str(), to, name.c_str()) < 0) return fail(posix_error(errno, "copying a link"));
    copy_label(fd_path(directory.fd.get()) + "/" + name, fd_path(to) + "/" + name);
    return {};
  }

  Result<void> copy_file(const std::string& name, const RootedFile& entry, int to) {
    auto merged = texts_.find({entry.device, entry.inode});
    Result<std::string> text = merged != texts_.end() ? Result<std::string>(merged->second) : read_rooted(entry);
    if (!text) return fail(text);
    bytes_ += text->size();
    if (bytes_ > kMaximumBytes) return fail(too_much(entry));
    Result<Fd> written = write_file(to, name, entry, *text);
    return written ? Result<void>() : fail(written);
  }

  const MergedTexts& texts_;
  size_t entries_ = 0, bytes_ = 0;
};

Result<void> add_hashed(const RootedFile& directory, int to, const std::string& hash, std::string_view text) {
  for (int number = 0; number < kMaximumNumber; ++number) {
    std::string name = hash + "." + std::to_string(number);
    struct stat status{};
    if (::fstatat(to, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) continue;
    Result<Fd> written = write_file(to, name, directory, text);
    if (!written) return fail(written);
    ::fchmod(written->get(), directory.mode & 0444);
    return {};
  }
  return fail(Error::local(ErrorKind::Limit, directory.path + ": too many certificates of one name"));
}

}  // namespace

// From here on the copy is removed with the others.
std::string MergedCopies::begin(const RootedFile& original) {
  MergedBundle bundle{.path = original.path, .device = original.device, .inode = original.inode};
  bundle.file = prefix_ + std::to_string(made_.size()) + ".pem";
  made_.push_back(bundle);
  return bundle.file;
}

Result<void> MergedCopies::finish(int copy) {
  struct statx status{};
  if (::statx(copy, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status) < 0) {
    return fail(posix_error(errno, "a merged copy"));
  }
  made_.back().file_device = device_of(status);
  made_.back().file_inode = status.stx_ino;
  return {};
}

Result<void> MergedCopies::add_file(const RootedFile& original, std::string_view text) {
  std::string name = begin(original);
  Result<Fd> copy = write_file(directory_fd_, name, original, text);
  return copy ? finish(copy->get()) : fail(copy);
}

Result<void> MergedCopies::add_directory(const RootedFile& original, const MergedTexts& texts, const std::string& hash,
                                         std::string_view text) {
  std::string name = begin(original);
  Result<Fd> copy = make_directory_in(directory_fd_, name);
  if (!copy) return fail(copy);
  Result<void> copied = TreeCopy(texts).copy(original, copy->get(), 0);
  if (copied) copied = add_hashed(original, copy->get(), hash, text);
  if (!copied) {
    remove_merged_copy(fd_path(directory_fd_) + "/" + name);
    made_.pop_back();
    return copied;
  }
  take_after(original, copy->get());
  return finish(copy->get());
}

void MergedCopies::remove_all() {
  for (const MergedBundle& bundle : made_) remove_merged_copy(fd_path(directory_fd_) + "/" + bundle.file);
  made_.clear();
}

void remove_merged_copy(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

}  // namespace waylay::warden
