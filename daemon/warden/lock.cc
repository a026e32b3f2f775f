#include "warden/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "base/bytes.h"
#include "warden/files.h"

namespace waylay::warden {

Result<Fd> lock_directory(const std::string& directory, const std::string& option) {
  std::string path = directory + "/lock";
  Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return fail(posix_error(errno, "opening " + path));
  if (::flock(file.get(), LOCK_EX | LOCK_NB) < 0) {
    if (errno != EWOULDBLOCK) return fail(posix_error(errno, "locking " + path));
    Result<std::string> holder = read_all(file.get(), 64, path);
    std::string pid =
        holder && !holder->empty() ? " (pid " + std::string(trim(holder->substr(0, holder->find('\n')))) + ")" : "";
    return fail(Error::local(ErrorKind::Conflict, "another waylayd" + pid + " uses " + directory +
                                                      ": stop it, or give this one its own " + option));
  }
  if (::ftruncate(file.get(), 0) < 0) return fail(posix_error(errno, "writing " + path));
  if (Result<void> written = write_all(file.get(), std::to_string(::getpid()) + "\n", path); !written)
    return fail(written);
  return file;
}

}  // namespace waylay::warden
