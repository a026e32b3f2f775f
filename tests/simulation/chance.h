// The one source of chance of a simulation: the same seed, the same choices, on every machine (SplitMix64, Steele et
// al. 2014). OpenSSL's keys, nonces and with them the lengths of its signatures come from it too.
#pragma once

#include <cstddef>
#include <cstdint>

namespace waylay::simulation {

class Chance {
 public:
  explicit Chance(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t limit) { return next() % limit; }
  uint64_t between(uint64_t least, uint64_t most) { return least + below(most - least + 1); }
  bool one_in(uint64_t n) { return below(n) == 0; }

  // Mostly small, sometimes up to `most`: what finds the edges of buffers as well as those of messages.
  uint64_t size(uint64_t most) {
    switch (below(8)) {
      case 0:
        return 0;
      case 1:
      case 2:
      case 3:
        return below(200 < most ? 200 : most + 1);
      case 4:
      case 5:
      case 6:
        return below(5'000 < most ? 5'000 : most + 1);
      default:
        return below(most + 1);
    }
  }

 private:
  uint64_t state_;
};

// From here on every random byte that OpenSSL asks for is drawn from `seed`.
void seed_openssl(uint64_t seed);

}  // namespace waylay::simulation
