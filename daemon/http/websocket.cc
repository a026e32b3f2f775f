#include "http/websocket.h"

#include <algorithm>

#include "base/utf8.h"

namespace waylay::http {
namespace {

// RFC 6455 section 5.2: the bits of a frame's first two octets.
constexpr uint8_t kFinal = 0x80, kReserved1 = 0x40, kReserved2And3 = 0x30, kOpcode = 0x0f;
constexpr uint8_t kMasked = 0x80, kLength = 0x7f;
constexpr uint8_t kLength16 = 126, kLength64 = 127;
constexpr size_t kMostControl = 125;  // section 5.5

// Unmasked at a time.
constexpr size_t kBlock = 4096;

bool is_known(uint8_t opcode) {
  return opcode <= 2 || (opcode >= 8 && opcode <= 10);
}

// Section 7.4: codes that an endpoint may send. 1004 to 1006 and 1015 are never on the wire; 1012 to 1014 were
// registered later.
bool may_be_sent(uint16_t code) {
  if (code >= 3000 && code <= 4999) return true;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

uint64_t big_endian(std::span<const uint8_t> octets) {
  uint64_t value = 0;
  for (uint8_t octet : octets) value = value << 8 | octet;
  return value;
}

}  // namespace

std::string_view to_string(WebSocketOpcode opcode) {
  switch (opcode) {
    case WebSocketOpcode::Continuation:
      return "continuation";
    case WebSocketOpcode::Text:
      return "text";
    case WebSocketOpcode::Binary:
      return "binary";
    case WebSocketOpcode::Close:
      return "close";
    case WebSocketOpcode::Ping:
      return "ping";
    case WebSocketOpcode::Pong:
      return "pong";
  }
  return "unknown";
}

WebSocketReader::WebSocketReader(Options options) : options_(options) {}

void WebSocketReader::put(Bytes bytes) {
  unread_ = bytes;
}

std::optional<WebSocketMessage> WebSocketReader::next() {
  while (failure_.empty()) {
    if (!frame_ && !read_frame_head()) break;
    read_payload();
    if (frame_->left > 0) break;
    if (std::optional<WebSocketMessage> message = end_frame()) return message;
  }
  unread_ = {};
  return std::nullopt;
}

// --- A frame's head ---

// True when it is complete, and right.
bool WebSocketReader::read_frame_head() {
  while (head_size_ < head_wanted_ && !unread_.empty()) {
    take_head_byte();
    if (head_size_ == 1 && !check_beginning()) return false;
    if (head_size_ == 2) {
      bool masked = (head_[1] & kMasked) != 0;
      if (masked != options_.masked) {
        fail(masked ? "a server's frame is masked" : "a client's frame is not masked");
        return false;
      }
      uint8_t length = head_[1] & kLength;
      head_wanted_ = 2 + (length == kLength16 ? 2u : length == kLength64 ? 8u : 0u) + (masked ? 4u : 0u);
    }
  }
  if (head_size_ < head_wanted_ || !read_length()) return false;
  begin_frame();
  return true;
}

void WebSocketReader::take_head_byte() {
  head_[head_size_++] = std::to_integer<uint8_t>(unread_.front());
  unread_ = unread_.subspan(1);
}

bool WebSocketReader::check_beginning() {
  if (closed_) {
    fail("something follows a close frame");
  } else if (!is_known(head_[0] & kOpcode)) {
    fail("opcode " + std::to_string(head_[0] & kOpcode) + " is unknown");
  } else if ((head_[0] & kReserved2And3) != 0) {
    fail("a reserved bit is set");
  } else {
    return check_order();
  }
  return false;
}

// What may come now: a message's first frame or a continuation, and control frames between them.
bool WebSocketReader::check_order() {
  auto opcode = static_cast<WebSocketOpcode>(head_[0] & kOpcode);
  bool is_control = static_cast<uint8_t>(opcode) >= 8;
  bool begins = !is_control && opcode != WebSocketOpcode::Continuation;
  if (is_control && (head_[0] & kFinal) == 0) {
    fail("a control frame is in pieces");
  } else if (!is_control && begins == open_.has_value()) {
    fail(begins ? "a message begins within another" : "a continuation of nothing");
  } else if ((head_[0] & kReserved1) != 0 && !(begins && options_.deflate)) {
    fail("a frame is marked as compressed where it cannot be");
  } else {
    return true;
  }
  return false;
}

bool WebSocketReader::read_length() {
  uint8_t said = head_[1] & kLength;
  frame_ = Frame{};
  frame_->opcode = static_cast<WebSocketOpcode>(head_[0] & kOpcode);
  frame_->final = (head_[0] & kFinal) != 0;
  frame_->left = said;
  if (said == kLength16) frame_->left = big_endian(std::span(head_).subspan(2, 2));
  if (said == kLength64) frame_->left = big_endian(std::span(head_).subspan(2, 8));
  if (frame_->is_control() && said > kMostControl) {
    fail("a control frame has more than 125 octets");
  } else if ((said == kLength16 && frame_->left < kLength16) || (said == kLength64 && frame_->left <= 0xffff)) {
    fail("a length is not in its shortest form");
  } else if (frame_->left >> 63 != 0) {
    fail("a length is larger than 2^63 - 1");
  }
  if (options_.masked) std::copy_n(head_.begin() + static_cast<ptrdiff_t>(head_wanted_ - 4), 4, frame_->mask.begin());
  return failure_.empty();
}

void WebSocketReader::begin_frame() {
  bool compressed = (head_[0] & kReserved1) != 0;
  head_size_ = 0;
  head_wanted_ = 2;
  control_.clear();
  if (frame_->is_control()) return;
  if (frame_->opcode != WebSocketOpcode::Continuation) {
    open_ = Open{frame_->opcode, compressed};
    content_.clear();
    if (compressed && reads_content() && !inflater_) inflater_ = std::make_unique<MessageInflater>(*options_.deflate);
  }
  open_->sent += frame_->left;
}

// --- Its payload ---

void WebSocketReader::read_payload() {
  Bytes payload = unread_.first(static_cast<size_t>(std::min<uint64_t>(frame_->left, unread_.size())));
  unread_ = unread_.subspan(payload.size());
  frame_->left -= payload.size();
  if (frame_->is_control() || reads_content()) read_octets(payload);
}

void WebSocketReader::read_octets(Bytes octets) {
  std::array<char, kBlock> block;
  while (!octets.empty()) {
    size_t size = std::min(octets.size(), block.size());
    for (size_t i = 0; i < size; ++i)
      block[i] = static_cast<char>(std::to_integer<uint8_t>(octets[i]) ^ frame_->mask[(frame_->mask_at + i) % 4]);
    frame_->mask_at = (frame_->mask_at + size) % 4;
    octets = octets.subspan(size);
    std::string_view plain(block.data(), size);
    frame_->is_control() ? void(control_.append(plain)) : read_content(plain);
  }
}

void WebSocketReader::read_content(std::string_view octets) {
  if (!reads_content()) return;  // it failed in the midst of this payload
  if (open_->is_compressed) {
    if (!inflater_->inflate(octets, content_, options_.content)) return fail_content(inflater_->failure());
    open_->size = inflater_->message_size();
    return;
  }
  open_->size += octets.size();
  content_.append(octets.substr(0, options_.content - std::min(options_.content, content_.size())));
}

void WebSocketReader::fail_content(std::string why) {
  content_failure_ = std::move(why);
  inflater_.reset();
  content_.clear();
}

bool WebSocketReader::reads_content() const {
  return options_.content > 0 && content_failure_.empty();
}

// --- Its end ---

std::optional<WebSocketMessage> WebSocketReader::end_frame() {
  bool is_control = frame_->is_control(), final = frame_->final;
  if (is_control) return end_control_frame();
  frame_.reset();
  if (!final) return std::nullopt;
  return end_message();
}

std::optional<WebSocketMessage> WebSocketReader::end_control_frame() {
  WebSocketOpcode opcode = frame_->opcode;
  frame_.reset();
  if (opcode == WebSocketOpcode::Close) return end_close_frame();
  return WebSocketMessage{opcode, control_.size(), control_.size(), control_, std::nullopt};
}

// Section 5.5.1.
std::optional<WebSocketMessage> WebSocketReader::end_close_frame() {
  closed_ = true;
  WebSocketMessage message{WebSocketOpcode::Close, control_.size(), control_.size(), {}, std::nullopt};
  if (control_.empty()) return message;
  if (control_.size() == 1) {
    fail("a close frame has half a code");
    return std::nullopt;
  }
  message.close_code =
      static_cast<uint16_t>(static_cast<uint8_t>(control_[0]) << 8 | static_cast<uint8_t>(control_[1]));
  message.content = std::string_view(control_).substr(2);
  message.size = message.content.size();
  if (may_be_sent(*message.close_code) && is_utf8(message.content)) return message;
  fail(is_utf8(message.content) ? "close code " + std::to_string(*message.close_code) + " may not be sent"
                                : "the reason of a close frame is no UTF-8");
  return std::nullopt;
}

WebSocketMessage WebSocketReader::end_message() {
  if (open_->is_compressed && reads_content()) {
    if (!inflater_->end_message(content_, options_.content)) {
      fail_content(inflater_->failure());
    } else {
      open_->size = inflater_->message_size();
      inflater_->next_message();
    }
  }
  bool is_read = reads_content();
  WebSocketMessage message{open_->opcode, open_->sent, is_read ? open_->size : open_->sent, {}, std::nullopt};
  if (is_read) message.content = content_;
  open_.reset();
  return message;
}

void WebSocketReader::fail(std::string why) {
  failure_ = std::move(why);
  unread_ = {};
  inflater_.reset();
}

}  // namespace waylay::http
