// The error codes that AWS services answer with, as data.
#pragma once

#include <string>
#include <string_view>

#include "aws/call.h"
#include "base/result.h"

namespace waylay::aws {

struct ErrorCode {
  std::string_view code;
  int status;
  std::string_view message;
  std::string_view service = {};          // only of this one; rows without come last
  Protocol protocol = Protocol::Unknown;  // only in this one; likewise
};

// By code, in any case; a service's or protocol's own row goes before the general one. Nullptr: no such code.
const ErrorCode* find_error_code(std::string_view code, std::string_view service,
                                 Protocol protocol = Protocol::Unknown);

// "; did you mean SlowDown or Throttling?" for the codes nearest to what somebody wrote; "" when none is near.
std::string nearest_error_codes(std::string_view code);

}  // namespace waylay::aws
