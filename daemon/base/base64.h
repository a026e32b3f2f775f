// Base64 as in RFC 4648 section 4: padded, nothing else between the characters.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace waylay {

int base64_digit(char c);  // 0 to 63; -1: it is none
std::string encode_base64(std::string_view bytes);
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace waylay
