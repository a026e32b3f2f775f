#pragma once

#include "cli/verb.h"

namespace waylay::cli {

// "?limit=1000&match=...", from --limit and --match; `more` comes first.
Result<std::string> query_of(const Parsed& parsed, std::string_view usual_limit, std::string_view more = {});

}  // namespace waylay::cli
