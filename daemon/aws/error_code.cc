#include "aws/error_code.h"

#include <algorithm>
#include <vector>

#include "aws/profile.h"
#include "base/bytes.h"
#include "base/nearest.h"

namespace waylay::aws {

const ErrorCode* find_error_code(std::string_view code, std::string_view service, Protocol protocol) {
  auto its = [&](const ErrorCode& row) {
    return (row.service.empty() || row.service == service) &&
           (row.protocol == Protocol::Unknown || row.protocol == protocol);
  };
  if (code.empty()) return nullptr;
  const ErrorCode* others = nullptr;
  for (auto name : {&ErrorCode::code, &ErrorCode::query_code})
    for (const ErrorCode& row : error_codes()) {
      if (!equals_ignoring_case(row.*name, code)) continue;
      if (its(row)) return &row;
      if (!others) others = &row;
    }
  return others;
}

std::string nearest_error_codes(std::string_view code) {
  std::vector<std::string_view> names;
  for (const Profile& profile : profiles())
    if (!find_error_code(profile.name, "")) names.push_back(profile.name);  // slowdown is SlowDown
  for (const ErrorCode& row : error_codes()) names.push_back(row.code);
  return did_you_mean(code, names);
}

}  // namespace waylay::aws
