// A delay from JSON: "200ms", {"uniform": ["10ms", "50ms"]}, {"normal": {...}} or {"lognormal": {...}} (delay.h).
#pragma once

#include "rules/delay.h"
#include "rules/json_reader.h"

namespace waylay::rules {

Delay read_delay(Reader& reader, const Json& value, const Place& place);

}  // namespace waylay::rules
