#include "aws/profile.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace waylay::aws {
namespace {

constexpr auto kProfiles = std::to_array<Profile>({
    {"throttle", "Refused for load, with the service's own code: the one that its SDK clients retry"},
    {"slowdown", "S3's 503 SlowDown; with other services the same code in their protocol"},
    {"unavailable", "The service is unavailable for a moment (503)"},
    {"internal", "The service failed (500)"},
    {"timeout", "The service waited too long for the request (RequestTimeout, RequestTimeoutException)"},
    {"expired-token", "The credentials' session token has expired: not retried by SDKs"},
    {"access-denied", "The caller may not do this: not retried by SDKs"},
});

struct Row {
  std::string_view profile;
  std::string_view service;  // empty: any service of the protocol
  Protocol protocol;         // Unknown: any
  std::string_view code;
};

using enum Protocol;

// The first row that fits is taken.
constexpr Row kRows[] = {
    {"slowdown", "", Unknown, "SlowDown"},

    {"unavailable", "firehose", Unknown, "ServiceUnavailableException"},
    {"unavailable", "logs", Unknown, "ServiceUnavailableException"},
    {"unavailable", "", RestJson, "ServiceUnavailableException"},
    {"unavailable", "", Ec2, "Unavailable"},
    {"unavailable", "", Unknown, "ServiceUnavailable"},

    {"internal", "dynamodb", Unknown, "InternalServerError"},
    {"internal", "streams.dynamodb", Unknown, "InternalServerError"},
    {"internal", "ssm", Unknown, "InternalServerError"},
    {"internal", "secretsmanager", Unknown, "InternalServiceError"},
    {"internal", "monitoring", Unknown, "InternalServiceError"},
    {"internal", "sns", Unknown, "InternalError"},
    {"internal", "ecr", Unknown, "ServerException"},
    {"internal", "ecs", Unknown, "ServerException"},
    {"internal", "eks", Unknown, "ServerException"},
    {"internal", "batch", Unknown, "ServerException"},
    {"internal", "kms", Unknown, "KMSInternalException"},
    {"internal", "lambda", Unknown, "ServiceException"},
    {"internal", "", RestXml, "InternalError"},
    {"internal", "", Ec2, "InternalError"},
    {"internal", "", RestJson, "InternalServerException"},
    {"internal", "", Unknown, "InternalFailure"},

    {"timeout", "", RestXml, "RequestTimeout"},
    {"timeout", "", Query, "RequestTimeout"},
    {"timeout", "", Ec2, "RequestTimeout"},
    {"timeout", "", Unknown, "RequestTimeoutException"},

    {"expired-token", "", RestXml, "ExpiredToken"},
    {"expired-token", "", Query, "ExpiredToken"},
    {"expired-token", "", Ec2, "RequestExpired"},
    {"expired-token", "", Unknown, "ExpiredTokenException"},

    {"access-denied", "sns", Unknown, "AuthorizationError"},
    {"access-denied", "", RestXml, "AccessDenied"},
    {"access-denied", "", Query, "AccessDenied"},
    {"access-denied", "", Ec2, "UnauthorizedOperation"},
    {"access-denied", "", Unknown, "AccessDeniedException"},
};

}  // namespace

std::span<const Profile> profiles() {
  return kProfiles;
}

const Profile* find_profile(std::string_view name) {
  auto found =
      std::ranges::find_if(kProfiles, [&](const Profile& row) { return equals_ignoring_case(row.name, name); });
  return found == kProfiles.end() ? nullptr : &*found;
}

std::string_view code_of(const Profile& profile, const Service* service, Protocol protocol) {
  if (profile.name == "throttle" && service) return service->throttle;
  for (const Row& row : kRows) {
    bool its = row.service.empty() || (service && row.service == service->name);
    if (row.profile == profile.name && its && (row.protocol == Unknown || row.protocol == protocol)) return row.code;
  }
  return protocol == RestXml ? "SlowDown" : "ThrottlingException";  // throttle, of a service without a row
}

}  // namespace waylay::aws
