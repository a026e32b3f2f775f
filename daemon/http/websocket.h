// Reads what one side of a WebSocket connection sends (RFC 6455, permessage-deflate of RFC 7692), from bytes that
// arrive in any pieces, and tells its messages. It observes only: whoever forwards the bytes neither waits for it nor
// asks it.
//
//   reader.put(bytes);
//   while (std::optional<WebSocketMessage> message = reader.next()) ...
//
// What no endpoint may send ends the reading, and failure() says why: unknown opcodes, reserved bits that no extension
// gave a meaning, control frames that are long or in pieces, lengths that are not said in the shortest form or exceed
// 2^63 - 1, masks where there must be none and none where there must be one, continuations of nothing, messages that
// begin within another, close frames with half a code, a code that may not be sent or a reason that is no UTF-8, and
// anything behind a close frame.
//
// Memory: without `content` only counters, and of control frames their 125 octets. With it, for each message its first
// `content` octets, and for permessage-deflate zlib's 44 KiB.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "http/message_inflater.h"

namespace waylay::http {

// RFC 6455 section 5.2.
enum class WebSocketOpcode : uint8_t { Continuation = 0, Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10 };
std::string_view to_string(WebSocketOpcode opcode);  // "text"

struct WebSocketMessage {
  WebSocketOpcode opcode = WebSocketOpcode::Text;  // never Continuation
  uint64_t sent = 0;                               // octets of payload on the wire
  uint64_t size = 0;                               // of content, if it was read; else as `sent`
  std::string_view content;                        // its beginning; borrowed until the next call
  std::optional<uint16_t> close_code;              // of Close; its content is the reason
};

class WebSocketReader {
 public:
  struct Options {
    bool masked = false;  // a client's frames are, a server's are not (section 5.1)
    std::optional<MessageDeflate> deflate;
    size_t content = 0;  // of each message so many octets are kept; 0: none, then nothing is unmasked or inflated
  };
  explicit WebSocketReader(Options options);

  void put(Bytes bytes);  // borrowed until next() gives nothing
  std::optional<WebSocketMessage> next();

  std::string_view failure() const { return failure_; }  // "": none; else nothing is read any more
  // Why messages' contents are not read any more, though they are counted: what cannot be inflated, or into too much.
  std::string_view content_failure() const { return content_failure_; }

 private:
  struct Frame {
    WebSocketOpcode opcode = WebSocketOpcode::Continuation;
    bool final = false;
    uint64_t left = 0;  // of its payload
    std::array<uint8_t, 4> mask{};
    size_t mask_at = 0;  // which of them the next octet is masked with
    bool is_control() const { return static_cast<uint8_t>(opcode) >= 8; }
  };

  bool read_frame_head();
  void take_head_byte();
  bool check_beginning();
  bool check_order();
  bool read_length();
  void begin_frame();
  void read_payload();
  void read_octets(Bytes octets);
  void read_content(std::string_view octets);
  void fail_content(std::string why);
  std::optional<WebSocketMessage> end_frame();
  std::optional<WebSocketMessage> end_control_frame();
  std::optional<WebSocketMessage> end_close_frame();
  WebSocketMessage end_message();
  void fail(std::string why);
  bool reads_content() const;

  const Options options_;
  Bytes unread_;
  std::array<uint8_t, 14> head_{};  // of the frame that begins
  size_t head_size_ = 0, head_wanted_ = 2;
  std::optional<Frame> frame_;  // whose payload comes
  std::string control_;         // payload of a control frame
  struct Open {                 // a message, of which more frames come
    WebSocketOpcode opcode = WebSocketOpcode::Text;
    bool is_compressed = false;
    uint64_t sent = 0, size = 0;
  };
  std::optional<Open> open_;
  std::string content_;
  std::unique_ptr<MessageInflater> inflater_;
  bool closed_ = false;
  std::string failure_, content_failure_;
};

}  // namespace waylay::http
