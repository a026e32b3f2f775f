// Inflates messages that permessage-deflate compressed (RFC 7692 section 7.2.2), one direction of a connection, each in
// any pieces. Whether a message refers further back than a smaller window that was agreed on allows is its receiver's
// business. Bounded: zlib's 44 KiB, what the caller keeps of each message, and how much may come out of how little.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace waylay::http {

// How one direction compresses, as the handshake says it.
struct MessageDeflate {
  bool takes_over_context = true;  // each message refers to those before it
  friend bool operator==(const MessageDeflate&, const MessageDeflate&) = default;
};

// A message that inflates to more than this, or a connection whose messages inflate to more than kMostRatio times what
// was sent (and kMostInflated on top), is a bomb or as good as one.
constexpr uint64_t kMostInflated = 16 * 1024 * 1024;
constexpr uint64_t kMostRatio = 100;

class MessageInflater {
 public:
  explicit MessageInflater(const MessageDeflate& deflate);
  ~MessageInflater();
  MessageInflater(const MessageInflater&) = delete;
  MessageInflater& operator=(const MessageInflater&) = delete;

  // Appends what comes out to `content` until that holds `most`; what is more is counted. False: failure() says why,
  // and nothing may follow.
  bool inflate(std::string_view coded, std::string& content, size_t most);
  bool end_message(std::string& content, size_t most);  // with the four octets that its sender left out
  void next_message();

  uint64_t message_size() const { return message_size_; }
  const std::string& failure() const { return failure_; }

 private:
  struct Stream;
  bool run(std::string& content, size_t most);
  bool count(size_t size);
  bool restart();
  bool fail(std::string_view why);

  const MessageDeflate deflate_;
  std::unique_ptr<Stream> stream_;
  uint64_t message_size_ = 0, taken_ = 0, made_ = 0;
  bool restarted_ = false;
  std::string failure_;
};

}  // namespace waylay::http
