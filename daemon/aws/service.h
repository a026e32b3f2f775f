// What differs from one AWS service to the next, as data: how it speaks, what it says when it throttles.
#pragma once

#include <string_view>

#include "aws/call.h"

namespace waylay::aws {

struct Service {
  std::string_view name;      // endpoint prefix, as in Call::service
  Protocol protocol;          // its usual one; a request can tell otherwise (SQS: query or JSON)
  std::string_view throttle;  // the error code by which it refuses for load
  // What stands before '#' in a JSON error's __type ("com.amazonaws.dynamodb.v20120810"), or the XML namespace of a
  // query service's error. Empty: the service sends none.
  std::string_view shape_namespace;
};

// The row of a service; nullptr for one that has no row of its own.
const Service* find_service(std::string_view name);

}  // namespace waylay::aws
