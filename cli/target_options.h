// The options that attach and run share.
#pragma once

#include "cli/client.h"
#include "cli/verb.h"

namespace waylay::cli {

Result<Json> ports_option(const Parsed& parsed);  // an array, empty when none was given

}  // namespace waylay::cli
