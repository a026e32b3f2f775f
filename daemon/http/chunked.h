// The chunked transfer coding of one message at a time (RFC 9112 section 7.1), in place: no payload byte is copied.
//
// llhttp reads it, and ChunkLines reads the framing a second time by the RFC's grammar. The two must agree byte for
// byte: what one of them tolerates (trailing blanks, a bare LF, overlong numbers) is refused, because whoever reads
// behind us may be like the other. (llhttp 8.1 refuses a second extension behind one with a value, "5;a=b;c", which the
// RFC allows and nobody is known to send.)
#pragma once

#include <llhttp.h>

#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "http/message.h"

namespace waylay::http {

constexpr size_t kMaximumChunkLine = 8 * 1024;  // a size with its extensions, or a trailer field
constexpr size_t kMaximumTrailers = 64 * 1024;

// The framing lines of a chunked body, strictly.
class ChunkLines {
 public:
  enum class State { Size, Payload, PayloadEnd, Trailer, Complete };

  // Why it is refused, or nullptr.
  const char* framing(Bytes bytes);
  const char* payload(uint64_t size);
  State state() const { return state_; }
  Trailers& trailers() { return trailers_; }

 private:
  const char* line();
  const char* size_line();
  const char* trailer_line();

  State state_ = State::Size;
  std::string line_;  // so far, with its CR
  uint64_t remaining_ = 0;
  size_t trailer_bytes_ = 0;
  Trailers trailers_;
};

class ChunkedReader {
 public:
  struct Piece {
    size_t used = 0;        // of the input, from its beginning
    Bytes payload;          // within the used bytes, at their end
    bool complete = false;  // the used bytes end the body
  };

  void start(Side side);
  Result<Piece> read(Bytes input);  // at least one byte
  Trailers& trailers() { return lines_.trailers(); }

 private:
  Result<Piece> refuse(const char* reason) const;

  llhttp_t parser_{};
  ChunkLines lines_;
  Side side_ = Side::Client;
  Bytes payload_;  // set by llhttp's callback
};

}  // namespace waylay::http
