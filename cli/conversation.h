// What went through an exchange behind its heads, in words: a WebSocket's messages, a tunnel's bytes, a gRPC call's
// messages.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/json.h"

namespace waylay::cli {

// For a line: "websocket: 12 up, 30 down, closed 1000"; "" when there is none.
std::string conversation_in_words(const Json& exchange);
// For a page, name and value each: "from client", "12 messages (3.4 KiB): 10 text, 2 binary; 1 ping".
std::vector<std::pair<std::string, std::string>> conversation_lines(const Json& exchange);
// A message's beginning on one line, in base64 if it is no text.
std::string message_content(const Json& message);

}  // namespace waylay::cli
