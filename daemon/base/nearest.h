// Which names somebody who wrote one wrongly may have meant: for the errors of everything that people write.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace waylay {

// At most three of `candidates`, the nearest first; none that is too far to be a slip of the pen. Case is ignored.
std::vector<std::string_view> nearest_names(std::string_view written, const std::vector<std::string_view>& candidates);

// "; did you mean a, b or c?", or "" when nothing is near.
std::string did_you_mean(std::string_view written, const std::vector<std::string_view>& candidates);

}  // namespace waylay
