// Which AWS call a request is: service, operation, region, and what the SDK says of itself and of its retries.
//
// Sources: the endpoint's host name (AWS General Reference, "Service endpoints"), X-Amz-Target for the JSON protocols,
// Action= in the query string for the query protocols, method and path for REST ones (S3 API reference); the credential
// scope of SigV4 (service and region) where the host does not tell, as with local test endpoints; amz-sdk-invocation-id
// and amz-sdk-request as botocore and the newer SDKs send them. What only the body tells is body.h's.
#pragma once

#include <string>

#include "http/message.h"

namespace waylay::aws {

enum class Protocol : uint8_t { Unknown, RestXml, Query, Ec2, Json10, Json11, RestJson, RpcV2Cbor };

struct Call {
  std::string service;    // endpoint prefix: "s3", "dynamodb", "sqs"; empty: not an AWS call
  std::string operation;  // "PutObject"; empty when it cannot be told
  std::string region;     // "eu-west-1"; of a global endpoint the one it was signed for, else empty
  std::string bucket, key, table;
  std::string invocation_id;                 // amz-sdk-invocation-id: one for all attempts of a logical call
  int attempt = 0;                           // from amz-sdk-request, 1 is the first; 0 = not said
  int max_attempts = 0;                      // 0 = not said (the first attempt does not say)
  std::string sdk, sdk_version, retry_mode;  // "Boto3" "1.26.27" "legacy", from User-Agent
  Protocol protocol = Protocol::Unknown;
  bool known() const { return !service.empty(); }
};

// `host` is the request's host in lower case without port (http::request_host). Never fails: what cannot be told is
// empty.
Call classify(const http::Head& request, std::string_view host);

}  // namespace waylay::aws
