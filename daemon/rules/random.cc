#include "rules/random.h"

#include <cmath>
#include <numbers>

namespace waylay::rules {

uint64_t Random::bits_at(uint64_t n) const {
  uint64_t x = seed_ + (n + 1) * 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

double Random::number() {
  return static_cast<double>(bits() >> 11) * 0x1p-53;
}

// Box and Muller, 1958; the second of the pair is not kept, so that two numbers are drawn each time.
double Random::normal() {
  double radius = std::sqrt(-2 * std::log(1 - number()));  // 1 - number() is never 0
  return radius * std::cos(2 * std::numbers::pi * number());
}

}  // namespace waylay::rules
