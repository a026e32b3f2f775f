// What goes through an exchange after its heads, where that is more than a body: the messages of a WebSocket, the bytes
// of a tunnel (CONNECT, any other Upgrade), the messages of a gRPC call. Plain data, part of ExchangeFacts.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/websocket.h"

namespace waylay::flow {

struct ExchangeFacts;

// One side's part of it.
struct Spoken {
  uint64_t bytes = 0;     // all of them, with what frames the messages
  uint64_t messages = 0;  // without control frames
  uint64_t payload = 0;   // their octets, as they were sent: compressed ones are counted so
  uint64_t text = 0, binary = 0, pings = 0, pongs = 0;  // WebSocket only
  std::optional<uint16_t> close_code;                   // a close frame without one: 1005, as the browser's API says it
  std::string close_reason;
  Time first, last;     // a message was complete, in a tunnel: bytes came; steady 0: none was or did
  std::string unread;   // why messages are not counted (any more); "": they are
  std::string unshown;  // why their content is not kept any more, though it should be
};

// One message, kept because a rule asks for it.
struct MessageFacts {
  std::shared_ptr<const ExchangeFacts> exchange;  // as it was when it became a tunnel
  Time time;
  bool from_client = false;
  http::WebSocketOpcode opcode = http::WebSocketOpcode::Text;
  uint64_t size = 0;    // octets, inflated
  std::string content;  // its beginning
  std::optional<uint16_t> close_code;
};

struct Conversation {
  std::string protocol;  // "websocket", "grpc", "grpc-web", "grpc-web-text", "tunnel" of CONNECT, or what Upgrade says
  std::string extensions;  // of a WebSocket, as agreed on: "permessage-deflate"
  bool open = false;
  Spoken from_client, from_upstream;
  bool keeps_messages = false;
  std::vector<std::shared_ptr<const MessageFacts>> messages;
  uint64_t messages_left_out = 0;  // beyond what is kept

  bool counts_messages() const { return protocol == "websocket" || protocol.starts_with("grpc"); }
};

}  // namespace waylay::flow
