// What changed between two texts, line by line, as diff -u shows it without its headings: every line with ' ', '-' or
// '+' before it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace waylay::cli {

std::vector<std::string> line_diff(std::string_view before, std::string_view after);

}  // namespace waylay::cli
