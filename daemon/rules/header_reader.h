// Header fields and edits of them in a rule, and which fields a rule may not touch.
#pragma once

#include "rules/json_reader.h"
#include "rules/rule_set.h"

namespace waylay::rules {

enum class EditOf { Request, Response, OwnResponse };

HeaderEdits read_edits(Reader& reader, const Json& value, const Place& place, EditOf side);

// {"Name": "value", "Set-Cookie": ["a", "b"]}
Fields read_fields(Reader& reader, const Json& value, const Place& place, EditOf side);

}  // namespace waylay::rules
