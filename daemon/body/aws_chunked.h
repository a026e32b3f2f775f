// aws-chunked: how a request to S3 carries its body when it is signed, or its checksum is computed, while it is sent
// ("Signature calculations for the authorization header: transferring payload in multiple chunks", S3 API reference).
//
//     400;chunk-signature=ad80...<CR><LF> 1024 bytes <CR><LF> ... 0;chunk-signature=b6c6...<CR><LF> trailers <CR><LF>
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace waylay::body {

// x-amz-content-sha256 is STREAMING-..., whatever Content-Encoding says.
bool is_aws_chunked(const http::Head& request);

// The bytes that the chunks carry. Protocol: no such framing.
Result<std::string> unchunk(std::string_view framed);

}  // namespace waylay::body
