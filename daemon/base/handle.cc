#include "base/handle.h"

#include <unistd.h>

namespace waylay {

void Fd::reset() {
  // close() may report EINTR, but on Linux the descriptor is gone all the same: never retried.
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace waylay
