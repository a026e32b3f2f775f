#include "warden/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace waylay::warden {
namespace {

Result<void> sync_directory_of(const std::string& path) {
  std::string parent = std::filesystem::path(path).parent_path();
  Fd directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) < 0) return fail(posix_error(errno, "syncing " + parent));
  return {};
}

Result<void> write_synced(const std::string& path, std::string_view text, mode_t mode, gid_t group) {
  ::unlink(path.c_str());  // left by a crash
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return fail(posix_error(errno, "creating " + path));
  if (Result<void> written = write_all(file.get(), text, path); !written) return written;
  if (group != static_cast<gid_t>(-1) && ::fchown(file.get(), static_cast<uid_t>(-1), group) < 0) {
    return fail(posix_error(errno, "giving " + path + " to its group"));
  }
  if (::fchmod(file.get(), mode) < 0) return fail(posix_error(errno, "setting the mode of " + path));
  if (::fsync(file.get()) < 0) return fail(posix_error(errno, "syncing " + path));
  return {};
}

}  // namespace

Result<std::string> read_all(int fd, size_t limit, std::string_view what) {
  std::string text;
  while (true) {
    size_t old = text.size();
    text.resize(std::min(limit + 1, old + size_t{64} * 1024));
    ssize_t got = ::read(fd, text.data() + old, text.size() - old);
    if (got < 0 && errno != EINTR) return fail(posix_error(errno, "reading " + std::string(what)));
    text.resize(old + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return text;
    if (text.size() > limit) {
      return fail(
          Error::local(ErrorKind::Limit, std::string(what) + ": longer than " + std::to_string(limit) + " bytes"));
    }
  }
}

Result<std::string> read_file(const std::string& path, size_t limit) {
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return fail(posix_error(errno, "opening " + path));
  struct stat status{};
  if (::fstat(file.get(), &status) < 0) return fail(posix_error(errno, "reading " + path));
  if (!S_ISREG(status.st_mode)) return fail(Error::local(ErrorKind::Invalid, path + ": not a regular file"));
  return read_all(file.get(), limit, path);
}

Result<void> write_all(int fd, std::string_view text, std::string_view what) {
  while (!text.empty()) {
    ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(posix_error(errno, "writing " + std::string(what)));
    text.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Result<void> replace_file(const std::string& path, std::string_view text, mode_t mode, gid_t group) {
  std::string beside = path + ".new";
  Result<void> written = write_synced(beside, text, mode, group);
  if (written && ::rename(beside.c_str(), path.c_str()) < 0) written = fail(posix_error(errno, "replacing " + path));
  if (!written) {
    ::unlink(beside.c_str());
    return written;
  }
  return sync_directory_of(path);
}

Result<void> make_directory(const std::string& path, mode_t mode, uid_t user, gid_t group) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  if (error) return fail(posix_error(error.value(), "making the directories above " + path));
  if (::mkdir(path.c_str(), 0700) < 0 && errno != EEXIST) return fail(posix_error(errno, "making " + path));
  Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return fail(posix_error(errno, "opening " + path));
  struct stat status{};
  if (::fstat(directory.get(), &status) < 0) return fail(posix_error(errno, "reading " + path));
  if (status.st_uid != user && status.st_uid != 0) {
    return fail(Error::local(ErrorKind::Permission,
                             path + ": belongs to user " + std::to_string(status.st_uid) + ", not to us"));
  }
  if (::fchown(directory.get(), user, group) < 0) return fail(posix_error(errno, "giving " + path + " to its owner"));
  if (::fchmod(directory.get(), mode) < 0) return fail(posix_error(errno, "setting the mode of " + path));
  return {};
}

}  // namespace waylay::warden
