// The rules in a directory's files (rules.d): *.json in name order, but not what editors leave there.
#pragma once

#include <string>
#include <vector>

#include "rules/rule.h"

namespace waylay::rules {

// All of them or an error that names the file and the place in it. A missing directory is an empty one; a name that two
// files use is a Conflict.
Result<std::vector<std::shared_ptr<Rule>>> read_directory(const std::string& directory);

}  // namespace waylay::rules
