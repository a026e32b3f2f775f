// The operation of a request, told by what its protocol puts it in: method, path, query and headers for REST services,
// as tables (Amazon S3 API Reference; AWS Lambda and Amazon Bedrock API References).
#pragma once

#include <string>
#include <string_view>

#include "aws/call.h"
#include "aws/uri.h"

namespace waylay::aws {

// Fills call.bucket (unless the host said it), call.key and call.operation of an S3 request.
void read_s3_request(const http::Head& request, const TargetParts& target, Call& call);

// A form of a query protocol, and what may be an operation's name in one.
bool is_form(const http::Head& request);
bool is_identifier(std::string_view text);

// The operation of a REST service's request by its table of paths; "" when it is not in the table.
std::string_view rest_operation(std::string_view service, std::string_view method, std::string_view path);

}  // namespace waylay::aws
