// Looks at the header of each frame that a peer sends, before nghttp2 reads it. nghttp2 passes over some frames without
// a word, as its caller may have reset the stream that they are for: DATA and HEADERS of closed streams, unknown types,
// PRIORITY. Here the peer's own order decides, in which our resets have no part: behind its END_STREAM or RST_STREAM it
// has nothing more to say on that stream (RFC 9113 section 5.1). And every frame that carries nothing is counted.
#pragma once

#include <array>
#include <vector>

#include "http/h2.h"
#include "http/h2_guard.h"

namespace waylay::http {

class H2FrameWatch {
 public:
  struct Violation {
    size_t offset = 0;  // of the bytes looked at: the frame's beginning, or 0 where that came before
    H2Code code = H2Code::ProtocolError;
    const char* what = "";
  };

  // Of a client's frames all is held against the rules, of a server's the number only.
  H2FrameWatch(bool of_client, FloodGuard& guard)
      : guard_(guard), of_client_(of_client), preface_(of_client ? 24 : 0) {}

  std::optional<Violation> look(Bytes bytes, Time now);

 private:
  struct Fault {
    H2Code code;
    const char* what;
  };
  size_t needed() const;
  std::optional<Fault> judge(Time now);
  std::optional<Fault> judge_order();
  std::optional<Fault> judge_headers();
  bool is_open() const;
  void end_stream();
  size_t length() const;
  uint8_t type() const { return header_[3]; }
  uint8_t flags() const { return header_[4]; }
  uint32_t stream() const { return word(5) & 0x7fffffff; }
  uint32_t word(size_t at) const;

  static constexpr size_t kHeader = 9;
  static constexpr size_t kMostOpen = 256;  // above the streams at once: those that we reset may never be ended by it
  FloodGuard& guard_;
  bool of_client_;
  size_t preface_;                             // octets of the client's, not looked at
  std::array<uint8_t, kHeader + 4> header_{};  // with the beginning of a PRIORITY frame's payload
  size_t have_ = 0;
  size_t payload_ = 0;  // octets to pass over
  uint32_t highest_ = 0;
  std::vector<uint32_t> open_;         // not ended by the peer; the oldest first
  std::array<uint32_t, 32> closed_{};  // lately
  size_t next_closed_ = 0;
};

}  // namespace waylay::http
