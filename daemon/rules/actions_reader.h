// A rule's actions from JSON.
//
//     "status": 429, "reason": "Slow Down"                        of the response; without a reason the usual one
//     "headers", "request_headers": {"set": {}, "add": {}, "remove": []}
//     "body", "request_body": "text", an edit, or an array of edits (respond_reader.h)
//     "respond": {"status", "reason", "headers", "body"}          (respond_reader.h)
//     "fault": "aws:slowdown"                                     (aws/fault.h)
//     "abort": "rst", "fin", "stall", "bad-chunk", "wrong-length", "goaway",
//              or {"how": one of these, "after_bytes": 100, "for": "30s"}
//     "delay", "chunk_delay": "200ms", {"uniform": ["10ms", "50ms"]}, ...       (delay_reader.h)
//     "throttle": {"up": "10KiB", "down": "1KiB"}                 a second
//     "handler": {"url", ...}                                     (handler_reader.h)
//     "upstream", "block", "tls"                                  (connection_reader.h)
//     "passthrough": true
//     "break_signature": true, "at": "response"
//
// Header values and bodies are templates (template.h).
#pragma once

#include <span>

#include "rules/actions.h"
#include "rules/json_reader.h"

namespace waylay::rules {

Actions read_actions(Reader& reader, const Json& rule, const Place& place);

std::vector<std::string_view> action_names();  // the members

}  // namespace waylay::rules
