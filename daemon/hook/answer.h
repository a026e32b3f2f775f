// What a handler answers: an API Gateway proxy response, {"statusCode", "headers", "multiValueHeaders", "body",
// "isBase64Encoded"}, or null, which leaves the exchange as it is.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "rules/plan.h"

namespace waylay::hook {

// Nothing: null was answered. An error says what the handler's author has to change. Framing fields (Content-Length,
// Transfer-Encoding, Connection and the like) are ours to say and left out.
Result<std::optional<rules::Response>> read_answer(std::string_view json);

}  // namespace waylay::hook
