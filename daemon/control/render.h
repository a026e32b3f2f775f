// Facts as JSON: the one place that decides the shape of what programs read (docs/openapi.json describes it). Text that
// is not UTF-8 is shown with replacement characters.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "control/backend.h"

namespace waylay::control {

using Json = nlohmann::ordered_json;

std::string to_text(const Json& json);  // on one line

Json to_json(const flow::FlowFacts& facts);
Json to_json(const flow::ExchangeFacts& facts);
Json to_json(const flow::MessageFacts& facts);
Json to_json(const Status& status);
Json fields_to_json();  // the expression language's fields

// {"error": {"kind", "message", "line"?, "column"?}}; the place is taken from the message ("line 2, column 11").
Json to_json(const Error& error);

}  // namespace waylay::control
