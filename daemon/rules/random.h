// A sequence of pseudo-random numbers that its seed decides: what a rule draws in one run it draws in every run with
// the same seed. SplitMix64 (Steele, Lea and Flood, 2014). For what rules draw only: it keeps no secrets.
#pragma once

#include <cstdint>

namespace waylay::rules {

class Random {
 public:
  explicit Random(uint64_t seed) : seed_(seed) {}

  uint64_t bits() { return bits_at(next_++); }
  double number();  // 0 <= number < 1
  double normal();  // of the normal distribution with mean 0 and deviation 1

  // Another sequence, the nth one's own: numbers drawn from it change nothing here.
  Random branch(uint64_t n) const { return Random(bits_at(~n)); }

 private:
  uint64_t bits_at(uint64_t n) const;

  uint64_t seed_;
  uint64_t next_ = 0;
};

}  // namespace waylay::rules
