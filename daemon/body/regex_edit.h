// An edit by a regular expression: see edit.h.
#pragma once

#include "body/edit.h"

namespace waylay::body {

std::expected<std::shared_ptr<const Edit>, Mistake> make_regex_edit(const std::string& pattern, std::string with,
                                                                    bool only_first);

}  // namespace waylay::body
