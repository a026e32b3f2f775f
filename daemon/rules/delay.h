// How long a rule waits: always the same, or drawn anew each time.
//
//     "200ms"    {"uniform": ["10ms", "50ms"]}    {"normal": {"mean": "80ms", "deviation": "20ms"}}
//     {"lognormal": {"median": "80ms", "sigma": 0.5}}, as latencies of real services are distributed
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "rules/random.h"

namespace waylay::rules {

constexpr int64_t kMostDelay_ns = 3600 * kSecond_ns;  // longer than any client waits

struct Delay {
  enum class Shape : uint8_t { Fixed, Uniform, Normal, Lognormal };

  Shape shape = Shape::Fixed;
  int64_t first_ns = 0;   // Fixed: the delay. Uniform: the shortest. Normal: the mean. Lognormal: the median.
  int64_t second_ns = 0;  // Uniform: the longest. Normal: the deviation.
  double sigma = 0;       // Lognormal: the deviation of the delay's logarithm
  std::string text;       // for people: "200ms", "uniform 10ms to 50ms"

  int64_t draw(Random& random) const;  // 0 to kMostDelay_ns; Fixed draws nothing
};

// A delay that is drawn again and again: before each part of a body.
struct RepeatedDelay {
  Delay delay;
  Random random;
  int64_t next_ns() { return delay.draw(random); }
};

}  // namespace waylay::rules
