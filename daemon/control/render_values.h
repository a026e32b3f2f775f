// What several kinds of facts are rendered with: values that may be missing, and who made a connection to where.
#pragma once

#include <string_view>

#include "control/render.h"

namespace waylay::control {

Json time_or_null(int64_t wall_ns);
Json duration_or_null(Time from, Time to);  // milliseconds; null where a moment was never
Json text_or_null(std::string_view text);
void add_connection(Json& json, const flow::FlowFacts& facts);  // common to flows, exchanges and messages

}  // namespace waylay::control
