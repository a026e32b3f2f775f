// What differs from one AWS service to the next when it refuses, as data: how each service speaks, the error codes with
// their statuses and messages, and the profiles, names for what goes wrong whatever the service ("throttle" is SlowDown
// with S3, RequestLimitExceeded with EC2 and ProvisionedThroughputExceededException with DynamoDB).
//
// Sources: the services' API references ("Errors" of their operations, "Common errors") and their public API models
// (httpError and awsQueryError traits); messages as services send them. Where a service documents nothing of its own,
// what its protocol's services share. The rows are in tables.cc; service.h, error_code.h and profile.h look them up.
#pragma once

#include <span>
#include <string_view>

#include "aws/call.h"

namespace waylay::aws {

struct Service {
  std::string_view name;                 // endpoint prefix, as in Call::service
  Protocol protocol;                     // its usual one; a request can tell otherwise (SQS: query or JSON)
  std::string_view throttle;             // the error code of the profile "throttle"
  std::string_view json_namespace = {};  // before '#' in a JSON or CBOR error's __type; empty: the service sends none
  std::string_view xml_namespace = {};   // of a query or rest-xml service's error; empty: likewise
};

struct ErrorCode {
  std::string_view code;
  int status;
  std::string_view message;
  std::string_view service = {};          // only of this one; rows without come last
  Protocol protocol = Protocol::Unknown;  // only in this one; likewise
  std::string_view query_code = {};       // what the query protocol calls it, where that is something else
};

struct Profile {
  std::string_view name;           // behind "aws:"
  std::string_view documentation;  // for people
};

// The code that a profile stands for; the first row that fits is taken. A service's own row says its throttle instead.
struct ProfileCode {
  std::string_view profile;
  std::string_view service;  // empty: any service of the protocol
  Protocol protocol;         // Unknown: any
  std::string_view code;
};

std::span<const Service> services();  // sorted by name
std::span<const ErrorCode> error_codes();
std::span<const Profile> profiles();
std::span<const ProfileCode> profile_codes();

}  // namespace waylay::aws
