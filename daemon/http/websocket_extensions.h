// What a WebSocket's two sides agreed on in their handshake: Sec-WebSocket-Extensions of the answer (RFC 6455 section
// 9.1), of which permessage-deflate (RFC 7692) is known.
#pragma once

#include <optional>
#include <string>

#include "http/message.h"
#include "http/message_inflater.h"

namespace waylay::http {

struct WebSocketExtensions {
  std::optional<MessageDeflate> from_client, from_server;  // both or neither
  std::string text;                                        // as the answer has it, for people
};

// Fails if the answer names what is not known here, or not as it must be: then frames mean something else.
Result<WebSocketExtensions> websocket_extensions(const Head& answer);

}  // namespace waylay::http
