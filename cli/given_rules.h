// The rules that a command line gives: as JSON, in files, or by the options of `rules add`.
#pragma once

#include <string>

#include "cli/client.h"
#include "cli/verb.h"

namespace waylay::cli {

const std::vector<Option>& rule_options();  // of `rules add`, and of what takes rules the same way

// The request's body: {"files": [{"name", "text"}]}, each with the name under which errors show it.
Result<std::string> rules_in_files(const std::vector<std::string>& paths);

// Arguments that are JSON, --file, and the rule that options describe; that one's name is the argument that is no JSON,
// or `usual_name`. Invalid: there is none of them.
Result<std::string> given_rules(const Parsed& parsed, std::string_view usual_name);

}  // namespace waylay::cli
