// JSON Pointer (RFC 6901): a place in a document, as JSON Patch names it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waylay::body {

// The reference tokens, unescaped; none for the whole document. Nothing if the text is no pointer.
std::optional<std::vector<std::string>> read_pointer(std::string_view text);

// "/a~1b": the pointer to a member of the document.
std::string pointer_to(std::string_view member);

// A token as the index of an array: digits, without zeros in front.
std::optional<size_t> index_of(std::string_view token);

}  // namespace waylay::body
