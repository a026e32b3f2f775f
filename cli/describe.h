// Exchanges and connections in words: the line of `waylay flows`, and parts that other verbs show as well.
#pragma once

#include <string>

#include "cli/json.h"
#include "cli/terminal.h"

namespace waylay::cli {

std::string who(const Json& event);  // "web python3[42]", "curl[7]", or the client's address
std::string flow_line(const Json& event, const Terminal& terminal, int64_t now_s);
std::string flow_title(const Terminal& terminal);
std::string what_rules_did(const Json& event);         // "slow: fault aws:slowdown"
std::string aws_call(const Json& event);               // "s3 GetObject, attempt 2"
std::string outcome_in_words(const Json& connection);  // "passed through: the client refused our certificate"

}  // namespace waylay::cli
