// A template from JSON text (template.h).
#pragma once

#include "rules/json_reader.h"
#include "rules/template.h"

namespace waylay::rules {

Template read_template(Reader& reader, const Json& value, const Place& place);

}  // namespace waylay::rules
