// The few pieces of a request target that AWS calls are told by (RFC 3986 sections 2.1 and 3.4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace waylay::aws {

struct TargetParts {
  std::string_view path;   // begins with '/', percent-encoding kept
  std::string_view query;  // without '?'
};
TargetParts split_target(std::string_view target);  // origin-form or absolute-form

// The value of the first parameter `name`, as written; "" for one without '='. Names compare exactly, as S3 does.
std::optional<std::string_view> query_value(std::string_view query, std::string_view name);

std::string percent_decode(std::string_view text);  // a '%' without two digits stays as it is

}  // namespace waylay::aws
