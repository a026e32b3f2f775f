// Rules on their way from files and options to the daemon, which opens no files of its users.
#pragma once

#include "cli/client.h"
#include "cli/verb.h"

namespace waylay::cli {

constexpr size_t kMaximumBodyFile = 1024 * 1024;  // as the daemon takes
constexpr size_t kMaximumRuleFile = 1024 * 1024;

Result<std::string> read_file(const std::string& path, size_t limit);

// The text of a rule file with each respond's "file" (relative to the file) replaced by what is in it. A file
// without any is given as it is, also when it is no JSON: the daemon says what is wrong, by line and column.
Result<std::string> read_rule_file(const std::string& path);

// "body", or "body_base64" where that would be read as a template or is not UTF-8.
void set_body(Json& respond, const std::string& body);

Result<Json> rule_of(const Parsed& parsed);  // of the options of `rules add`

}  // namespace waylay::cli
