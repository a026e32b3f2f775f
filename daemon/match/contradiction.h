// Whether an expression can be seen to match nothing: conditions on one field, all of which must hold, that no value
// meets (http.request.method == "GET" and http.request.method == "PUT"; http.response.code > 599). Cheap and cautious:
// false means that it was not seen.
#pragma once

#include <string_view>

namespace waylay::match {

// Of the text of an expression that compiles.
bool is_contradiction(std::string_view text);

}  // namespace waylay::match
