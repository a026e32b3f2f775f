// A rule's limits from JSON: attempts, for, times, every, probability, seed, per_minute.
#pragma once

#include "rules/json_reader.h"
#include "rules/limits.h"

namespace waylay::rules {

// `injects_fault`: the rule makes something go wrong, and ends after Limits::kUsualLife_ns unless it says otherwise.
Limits read_limits(Reader& reader, const Json& rule, const Place& place, bool injects_fault);

}  // namespace waylay::rules
