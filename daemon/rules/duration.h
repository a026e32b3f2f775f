// A duration and a size as rules write them: a number and a unit, "200ms", "1.5s", "10KiB".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace waylay::rules {

// In nanoseconds; units are ns, us, ms, s, m and h. Nothing when it is no duration, or longer than 292 years.
std::optional<int64_t> parse_duration(std::string_view text);

// In bytes; units are B, KB, MB, GB, KiB, MiB and GiB. Nothing when it is no size, or beyond 2^63.
std::optional<int64_t> parse_size(std::string_view text);

}  // namespace waylay::rules
