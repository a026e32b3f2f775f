// Whether bytes are text: UTF-8 as in RFC 3629, without surrogates and overlong forms.
#pragma once

#include <string_view>

namespace waylay {

bool is_utf8(std::string_view bytes);

}  // namespace waylay
