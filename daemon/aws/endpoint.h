// Which service a host name is an endpoint of (AWS General Reference, "Service endpoints and quotas"; Amazon S3 User
// Guide, "Virtual hosting of buckets" and "Making requests over dual-stack endpoints"), and what a signature's
// credential scope says where the name does not (SigV4: AKID/date/region/service/aws4_request).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace waylay::aws {

struct Endpoint {
  std::string service;  // "" when the host is not an AWS API's
  std::string region;
  std::string bucket;  // S3 virtual-hosted style, access points and directory buckets
};

// `host`: lower case, no port. Website endpoints of S3 and customers' own hosts (load balancers, instances) are no
// APIs.
Endpoint endpoint_of_host(std::string_view host);

// The scope in an Authorization field's value, or in a presigned query's X-Amz-Credential (percent-encoding kept).
std::optional<Endpoint> endpoint_of_authorization(std::string_view authorization);
std::optional<Endpoint> endpoint_of_credential(std::string_view credential);

}  // namespace waylay::aws
