// Looking into JSON that the daemon sent: whatever is missing or of another type reads as nothing, so that a tool and a
// daemon of two versions get along.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace waylay::cli {

using Json = nlohmann::ordered_json;

Json parse(std::string_view text);      // is_discarded() when it is no JSON
std::string to_line(const Json& json);  // without the line's end

const Json& member(const Json& json, std::string_view key);  // null when there is none
std::string text(const Json& json, std::string_view key);    // harmless to a terminal
double number(const Json& json, std::string_view key);
bool flag(const Json& json, std::string_view key);

}  // namespace waylay::cli
