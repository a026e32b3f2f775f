#include "kernel/proc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/handle.h"

namespace waylay::kernel {

Result<std::string> read_small_file(const std::string& path, size_t limit) {
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail(posix_error(errno, "opening " + path));
  std::string text;
  while (text.size() < limit) {
    char piece[16384];
    ssize_t size = ::read(file.get(), piece, std::min(sizeof piece, limit - text.size()));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail(posix_error(errno, "reading " + path));
    if (size == 0) break;
    text.append(piece, static_cast<size_t>(size));
  }
  return text;
}

}  // namespace waylay::kernel
