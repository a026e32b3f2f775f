#include "rules/duration.h"

#include <charconv>
#include <cmath>
#include <span>

#include "base/clock.h"

namespace waylay::rules {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

std::optional<int64_t> parse(std::string_view text, std::span<const Unit> units) {
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(number) || std::signbit(number)) return std::nullopt;
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  for (const Unit& row : units) {
    if (row.name != unit) continue;
    double scaled = std::round(number * row.factor);
    return scaled < 9e18 ? std::optional(static_cast<int64_t>(scaled)) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<int64_t> parse_duration(std::string_view text) {
  constexpr Unit kUnits[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", kSecond_ns}, {"m", 60e9}, {"h", 3600e9}};
  return parse(text, kUnits);
}

std::optional<int64_t> parse_size(std::string_view text) {
  constexpr Unit kUnits[] = {{"B", 1},      {"KB", 1e3},      {"MB", 1e6},     {"GB", 1e9},
                             {"KiB", 1024}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};
  return parse(text, kUnits);
}

}  // namespace waylay::rules
