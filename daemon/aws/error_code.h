// The error codes that AWS services answer with, by name.
#pragma once

#include <string>

#include "aws/tables.h"

namespace waylay::aws {

// By code, in any case, or by what the query protocol calls it; a service's or protocol's own row goes before the
// general one, and that before another service's. Nullptr: no such code.
const ErrorCode* find_error_code(std::string_view code, std::string_view service,
                                 Protocol protocol = Protocol::Unknown);

// "; did you mean SlowDown or Throttling?" for the codes nearest to what somebody wrote; "" when none is near.
std::string nearest_error_codes(std::string_view code);

}  // namespace waylay::aws
