// How the two ends of a simulation read HTTP/1.1: short, and on purpose not the reader that is under test. It trusts
// that a message is well formed, since both ends write such, and reports what is not.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waylay::simulation {

struct Message {
  std::string head;  // with its empty line
  std::string content;
  bool until_close = false;
  bool complete = false;

  std::string start_line() const { return head.substr(0, head.find("\r\n")); }
  int status() const;          // of a response
  std::string target() const;  // of a request
  std::optional<std::string> field(std::string_view name) const;
};

class MessageReader {
 public:
  // Adds what came. New and growing messages are in messages().
  void put(std::string_view bytes);
  // Of a response reader: the methods of the requests that are to be answered, in order.
  void expect_answer_to(std::string method) { methods_.push_back(std::move(method)); }
  bool is_for_responses = false;

  const std::vector<Message>& messages() const { return messages_; }
  const std::string& error() const { return error_; }
  // The last message grew by nothing that is missing: none was begun, or it is complete.
  bool between_messages() const { return buffer_.empty() && (messages_.empty() || messages_.back().complete); }
  void end();  // the peer's orderly end: completes a message that lasts until then

 private:
  bool step();
  bool read_head();
  bool read_chunk();
  bool has_no_content(const Message& message) const;

  std::string buffer_, error_;
  std::vector<Message> messages_;
  std::vector<std::string> methods_;
  size_t answered_ = 0;  // final responses begun
  size_t left_ = 0;      // of a body, or of a chunk with its line's end
  bool chunked_ = false;
};

}  // namespace waylay::simulation
