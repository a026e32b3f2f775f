// Whom a request is for: its target's form and its Host (RFC 9112 sections 3.2 and 3.3, RFC 3986 section 3.2). What two
// readers could take for two hosts is refused.
#pragma once

#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace waylay::http {

// uri-host [ ":" port ]: a name or an IPv4 address, or an IPv6 address in brackets; no userinfo. Not empty.
bool is_authority(std::string_view text);

// The form that the method asks for: "*" for OPTIONS alone, host:port for CONNECT alone, else "/..." or "scheme://...".
bool is_target_of(std::string_view method, std::string_view target);

// HTTP/1.1 has one Host; beside a target in absolute form it names the same authority.
Result<void> check_host(const Head& request);

}  // namespace waylay::http
