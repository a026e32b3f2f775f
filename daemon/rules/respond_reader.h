// The parts of a response in a rule: status, reason, a whole answer, and edits of bodies.
#pragma once

#include "rules/actions.h"
#include "rules/json_reader.h"

namespace waylay::rules {

constexpr size_t kMostBodyBytes = 1024 * 1024;  // of a rule's body, held in memory for as long as the rule is

bool has_no_body(int status);

std::optional<int> read_status(Reader& reader, const Json& value, const Place& place);
std::string read_reason(Reader& reader, const Json& value, const Place& place);

// {"status", "reason", "headers", and one of "body" (a template), "body_base64" and "file"}
Respond read_respond(Reader& reader, const Json& value, const Place& place);

// "text" (a template for the whole body), {"replace": "text"}, {"regex": {...}}, {"json_patch": [...]},
// {"merge_patch": {...}}, or an array of these.
std::vector<BodyAction> read_body_edits(Reader& reader, const Json& value, const Place& place);

}  // namespace waylay::rules
