// A rule's limits from JSON.
//
//     "attempts": "1-2"                     of an SDK's invocation; or 3
//     "for": "10m"                          or "forever"; 1h for what makes something go wrong when nothing is said
//     "times": 2                            then it acts no more
//     "every": 3                            every third match
//     "probability": 0.1, "seed": 7         the same seed, the same decisions
//     "ramp": {"from": 0, "to": 0.5, "over": "10m"}   a probability that changes with the rule's age
//     "per_minute": 30                      at most
//     "rate_limit": {"rate": "100/s", "burst": 20, "per": "container"}   what exceeds it; per host, bucket, operation,
//                                           target or all
#pragma once

#include "rules/actions.h"
#include "rules/json_reader.h"
#include "rules/limits.h"

namespace waylay::rules {

// What `actions` says decides how long a rule lives unless it says otherwise, and whether it draws.
Limits read_limits(Reader& reader, const Json& rule, const Place& place, const Actions& actions);

std::vector<std::string_view> limit_names();  // the members

}  // namespace waylay::rules
