// Takes secrets out of heads and targets before they are kept or shown: credentials, cookies, tokens, customer keys,
// the signed parts of presigned URLs. Redaction is by name and errs on the side of hiding; names and order stay
// visible.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace waylay::flow {

inline constexpr std::string_view kRedacted = "[redacted]";

bool is_secret_field(std::string_view header_name);
bool is_secret_parameter(std::string_view query_name);
std::string redact_target(std::string_view target);  // "/key?X-Amz-Signature=[redacted]"
void redact(http::Head& head);

}  // namespace waylay::flow
