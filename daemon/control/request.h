// A request to the API, taken apart: method, path segments, query parameters, body. Percent-encoding is undone, once.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "http/message.h"

namespace waylay::control {

struct Request {
  std::string method;
  std::vector<std::string> path;             // "/v1/rules/a%2Fb" is {"v1", "rules", "a/b"}
  std::map<std::string, std::string> query;  // "?follow" is {"follow", ""}
  std::string body;
  std::string peer;  // who asks: "uid=0 pid=4711"
};

// Invalid: malformed percent-encoding, a NUL, a parameter given twice.
Result<Request> take_apart(const http::Head& head);

// Parameters, with the errors that a caller gets to see.
Result<bool> boolean_parameter(const Request& request, const std::string& name);  // absent: false; "" is true
Result<size_t> limit_parameter(const Request& request, size_t otherwise);         // up to kMaximumLimit
Result<void> check_parameters(const Request& request, const std::vector<std::string_view>& known);

constexpr size_t kMaximumLimit = 10'000;

}  // namespace waylay::control
