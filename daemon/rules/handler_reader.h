// A handler from JSON (handler.h): {"url": "http://127.0.0.1:9000/2015-03-31/functions/function/invocations" or
// "unix:/run/handler.sock", "phase": "request" or "response", "timeout": "5s", "concurrency": 32, "fail": "open" or
// "closed", "breaker": {"failures": 5, "pause": "30s"}}
#pragma once

#include "rules/handler.h"
#include "rules/json_reader.h"

namespace waylay::rules {

Handler read_handler(Reader& reader, const Json& value, const Place& place);

}  // namespace waylay::rules
