// The one source of chance of a simulation: the same seed, the same choices, on every machine.
#pragma once

#include <cstddef>
#include <cstdint>

#include "support/seeded_openssl.h"

namespace waylay::simulation {

class Chance {
 public:
  explicit Chance(uint64_t seed) : numbers_{seed} {}

  uint64_t next() { return numbers_.next(); }
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
  SplitMix numbers_;
};

}  // namespace waylay::simulation
