// Counts the messages in one direction of a gRPC call, from bytes in any pieces: each message has five octets before
// it, a flag and its length (PROTOCOL-HTTP2.md of gRPC). gRPC-Web has the same (PROTOCOL-WEB.md), with the trailers as
// a last message of their own kind, and as -text all of it in base64, which may end and begin anew at any message.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace waylay::http {

class GrpcReader {
 public:
  explicit GrpcReader(bool is_base64 = false) : is_base64_(is_base64) {}

  void put(Bytes bytes);

  uint64_t messages() const { return messages_; }  // begun ones; trailers are none
  uint64_t payload() const { return payload_; }    // their octets, as they say it
  // "": none; else nothing more is counted.
  std::string_view failure() const { return failure_; }

 private:
  void put_base64(Bytes bytes);
  void read(Bytes bytes);
  void begin_message();

  const bool is_base64_;
  uint8_t head_[5] = {};
  size_t head_size_ = 0;
  uint64_t left_ = 0;  // of the message's payload
  uint64_t messages_ = 0, payload_ = 0;
  uint32_t bits_ = 0;  // of base64
  int bit_count_ = 0;
  std::string_view failure_;
};

}  // namespace waylay::http
