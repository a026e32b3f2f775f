// Names for what goes wrong with AWS, whatever the service: "throttle" is SlowDown with S3, RequestLimitExceeded with
// EC2 and ProvisionedThroughputExceededException with DynamoDB.
//
// Sources: the services' API references ("Errors" of their operations, "Common errors"); where a service documents
// nothing of its own, what its protocol's services share.
#pragma once

#include <span>
#include <string_view>

#include "aws/service.h"

namespace waylay::aws {

struct Profile {
  std::string_view name;           // behind "aws:"
  std::string_view documentation;  // for people
};

std::span<const Profile> profiles();

// In any case; nullptr: there is none of that name.
const Profile* find_profile(std::string_view name);

// The error code that `service` (its row; nullptr: it has none) answers with in this protocol. It is in the table of
// error codes.
std::string_view code_of(const Profile& profile, const Service* service, Protocol protocol);

}  // namespace waylay::aws
