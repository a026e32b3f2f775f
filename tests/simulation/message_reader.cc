#include "simulation/message_reader.h"

#include <strings.h>

#include <algorithm>
#include <utility>

namespace waylay::simulation {

int Message::status() const {
  return atoi(head.c_str() + std::string_view("HTTP/1.1 ").size());
}

std::string Message::target() const {
  size_t begin = head.find(' ') + 1;
  return head.substr(begin, head.find(' ', begin) - begin);
}

std::optional<std::string> Message::field(std::string_view name) const {
  for (size_t line = head.find("\r\n") + 2; line + 2 < head.size();) {
    size_t end = head.find("\r\n", line);
    size_t colon = head.find(':', line);
    if (colon < end && colon - line == name.size() && strncasecmp(head.c_str() + line, name.data(), name.size()) == 0)
      return head.substr(std::min(colon + 2, end), end - std::min(colon + 2, end));
    line = end + 2;
  }
  return std::nullopt;
}

void MessageReader::put(std::string_view bytes) {
  buffer_.append(bytes);
  while (error_.empty() && step()) {
  }
}

void MessageReader::end() {
  if (!messages_.empty() && messages_.back().until_close) messages_.back().complete = true;
}

bool MessageReader::step() {
  if (messages_.empty() || messages_.back().complete) return read_head();
  Message& message = messages_.back();
  if (message.until_close) {
    message.content.append(std::exchange(buffer_, {}));
    return false;
  }
  if (chunked_ && left_ == 0) return read_chunk();
  size_t size = std::min(left_, buffer_.size());
  message.content.append(buffer_, 0, size);
  buffer_.erase(0, size);
  left_ -= size;
  if (!chunked_) message.complete = left_ == 0;
  return size > 0;
}

bool MessageReader::has_no_content(const Message& message) const {
  if (!is_for_responses) return false;
  int status = message.status();
  return status < 200 || status == 204 || status == 304 || methods_[answered_ - 1] == "HEAD";
}

bool MessageReader::read_head() {
  size_t end = buffer_.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  Message message;
  message.head = buffer_.substr(0, end + 4);
  buffer_.erase(0, end + 4);
  if (is_for_responses && message.status() >= 200 && ++answered_ > methods_.size()) {
    error_ = "an answer to nothing: " + message.start_line();
    return false;
  }
  std::optional<std::string> length = message.field("Content-Length");
  chunked_ = message.field("Transfer-Encoding").has_value();
  left_ = chunked_ || !length ? 0 : static_cast<size_t>(atoll(length->c_str()));
  if (has_no_content(message) || (!chunked_ && length && left_ == 0) || (!is_for_responses && !chunked_ && !length))
    message.complete = true;
  else if (!chunked_ && !length)
    message.until_close = true;
  messages_.push_back(std::move(message));
  return true;
}

// A chunk's size line; the line's end behind its content goes with the next one.
bool MessageReader::read_chunk() {
  size_t begin = !messages_.back().content.empty() ? 2 : 0;
  size_t end = buffer_.find("\r\n", begin);
  if (end == std::string::npos) return false;
  left_ = strtoul(buffer_.c_str() + begin, nullptr, 16);
  if (left_ > 0) {
    buffer_.erase(0, end + 2);
    return true;
  }
  if (buffer_.size() < end + 4) return false;
  if (buffer_.compare(end, 4, "\r\n\r\n") != 0) {
    error_ = "trailers that nobody sent";
    return false;
  }
  buffer_.erase(0, end + 4);
  messages_.back().complete = true;
  return true;
}

}  // namespace waylay::simulation
