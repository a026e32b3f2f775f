#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace waylay {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "waylay: broken invariant: %s (%s:%d); this is a bug, please report it\n", condition, file,
               line);
  std::abort();
}

}  // namespace waylay
