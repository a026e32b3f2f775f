// What an AWS service sends when it refuses: status, headers and body in the shape of its protocol, so that the
// client's SDK reads it as the real thing (AWS API references, "Common errors"; Smithy's AWS protocols; shapes as
// services send them).
//
//     aws:throttle   the service's own refusal for load: S3's SlowDown, DynamoDB's
//                    ProvisionedThroughputExceededException, ...
//     aws:slowdown   S3's 503 SlowDown, in the service's own protocol where that is not S3's
//     aws:CODE       that error code of the table: aws:InternalError, aws:RequestTimeout, aws:ExpiredToken
//     and the profiles of profile.h: aws:unavailable, aws:internal, aws:timeout, aws:expired-token, aws:access-denied
//
// Names ignore case.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/call.h"
#include "base/clock.h"
#include "base/result.h"

namespace waylay::aws {

struct Answer {
  int status = 0;
  std::string reason;
  std::vector<std::pair<std::string, std::string>> fields;  // without Content-Length
  std::string body;                                         // empty for HEAD
};

// Whether `name` is a fault; the Error names the nearest ones. For rules, when they are loaded.
Result<void> check_fault(std::string_view name);

// The answer of `call`'s service to `request`. `id` makes the request ids: another number, other ids. A call that is
// not known to be AWS's is answered as S3 would. Fails only where check_fault does.
Result<Answer> make_fault(std::string_view name, const Call& call, const http::Head& request, Time now, uint64_t id);

}  // namespace waylay::aws
