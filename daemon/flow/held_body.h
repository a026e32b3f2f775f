// The pieces of a message's body on their way through an exchange, and what is held back of them.
#pragma once

#include "base/byte_queue.h"
#include "http/message.h"

namespace waylay::flow {

// A piece of a body, and the same piece as it came: with its framing in HTTP/1, the content once more in HTTP/2.
struct BodyPart {
  Bytes content, wire;
};
// What ends a body: its last framing (HTTP/1), and its trailers if there are any.
struct BodyEnd {
  Bytes wire;
  const http::Trailers* trailers = nullptr;
};

// What came and could not be passed on yet: its wire form, and its content where that is not the same.
class HeldBody {
 public:
  void append(const BodyPart& part);
  void end(const BodyEnd& end);

  bool empty() const { return wire_.empty(); }
  size_t size() const { return wire_.size(); }
  BodyPart all() const { return {framed_ ? content_.bytes() : wire_.bytes(), wire_.bytes()}; }
  BodyEnd ending() const { return {end_wire_.bytes(), trailers_.empty() ? nullptr : &trailers_}; }
  http::Trailers& trailers() { return trailers_; }
  const http::Trailers& trailers() const { return trailers_; }
  void clear_content();  // what has not ended yet goes on
  void clear();

 private:
  ByteQueue wire_, content_, end_wire_;
  http::Trailers trailers_;
  bool framed_ = false;  // the two differ
};

}  // namespace waylay::flow
