// A duration as rules write it: a number and a unit, "200ms", "1.5s".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace waylay::rules {

// In nanoseconds; units are ns, us, ms, s, m and h. Nothing when it is no duration, or longer than 292 years.
std::optional<int64_t> parse_duration(std::string_view text);

}  // namespace waylay::rules
