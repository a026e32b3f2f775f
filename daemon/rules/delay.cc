#include "rules/delay.h"

#include <algorithm>
#include <cmath>

namespace waylay::rules {
namespace {

int64_t within_limits(double delay_ns) {
  return static_cast<int64_t>(std::clamp(delay_ns, 0.0, static_cast<double>(kMostDelay_ns)));
}

}  // namespace

int64_t Delay::draw(Random& random) const {
  auto first = static_cast<double>(first_ns), second = static_cast<double>(second_ns);
  switch (shape) {
    case Shape::Fixed:
      return first_ns;
    case Shape::Uniform:
      return within_limits(first + random.number() * (second - first));
    case Shape::Normal:
      return within_limits(first + random.normal() * second);
    case Shape::Lognormal:
      return within_limits(first * std::exp(random.normal() * sigma));
  }
  return first_ns;
}

}  // namespace waylay::rules
