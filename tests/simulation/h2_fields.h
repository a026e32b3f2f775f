// Header fields of HTTP/2 as the ends of a simulation write and read them.
#pragma once

#include "simulation/script.h"

namespace waylay::simulation {

std::string value_of(const Fields& fields, std::string_view name);  // empty: none
Fields named_like(const Fields& fields, std::string_view prefix);

Fields request_fields(const PlannedExchange& planned, Chance& chance);
Fields response_fields(const PlannedExchange& planned);

}  // namespace waylay::simulation
