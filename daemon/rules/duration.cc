#include "rules/duration.h"

#include <charconv>
#include <cmath>

#include "base/clock.h"

namespace waylay::rules {

std::optional<int64_t> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    double nanoseconds;
  };
  constexpr Unit kUnits[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", kSecond_ns}, {"m", 60e9}, {"h", 3600e9}};
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(number) || std::signbit(number)) return std::nullopt;
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  for (const Unit& row : kUnits) {
    if (row.name != unit) continue;
    double nanoseconds = std::round(number * row.nanoseconds);
    return nanoseconds < 9e18 ? std::optional(static_cast<int64_t>(nanoseconds)) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace waylay::rules
