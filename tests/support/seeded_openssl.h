// OpenSSL with random bytes that repeat: for tests whose runs must be the same each time. The lengths of signatures
// depend on them, too.
#pragma once

#include <openssl/rand.h>

#include <cstdint>

#include "base/check.h"

namespace waylay {

// SplitMix64 (Steele et al. 2014).
struct SplitMix {
  uint64_t state = 0;
  uint64_t next() {
    state += 0x9e3779b97f4a7c15;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
};

inline SplitMix drawn_by_openssl;

inline int draw_for_openssl(unsigned char* out, int size) {
  for (int i = 0; i < size; ++i) out[i] = static_cast<unsigned char>(drawn_by_openssl.next());
  return 1;
}

// Deprecated for products, where nobody wants predictable keys.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
// From here on every random byte that OpenSSL asks for is drawn from `seed`.
inline void seed_openssl(uint64_t seed) {
  static const RAND_METHOD method = {nullptr, draw_for_openssl, nullptr, nullptr, draw_for_openssl, [] { return 1; }};
  static const bool done = RAND_set_rand_method(&method) == 1;
  CHECK(done);
  drawn_by_openssl.state = seed;
}
#pragma GCC diagnostic pop

}  // namespace waylay
