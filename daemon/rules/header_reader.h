// Header fields and edits of them in a rule, and which fields a rule may not touch.
#pragma once

#include "rules/actions.h"
#include "rules/json_reader.h"

namespace waylay::rules {

// SignedRequest: of a rule that may break a request's signature.
enum class EditOf { Request, SignedRequest, Response, OwnResponse };

HeaderTemplates read_edits(Reader& reader, const Json& value, const Place& place, EditOf side);

// {"Name": "value", "Set-Cookie": ["a", "b"]}; values are templates.
std::vector<std::pair<std::string, Template>> read_fields(Reader& reader, const Json& value, const Place& place,
                                                          EditOf side);

}  // namespace waylay::rules
