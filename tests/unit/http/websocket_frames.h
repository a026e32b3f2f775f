// WebSocket frames as an endpoint would send them, for tests.
#pragma once

#include <zlib.h>

#include <string>
#include <string_view>

#include "base/check.h"

namespace waylay::http {

constexpr uint8_t kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;
constexpr uint8_t kContinues = 0, kNotFinal = 0x80, kCompressed = 0x40;  // beside an opcode; kNotFinal clears FIN

// `first` is an opcode with kNotFinal and kCompressed as needed; `mask` of four octets, or "".
inline std::string frame(int first, std::string_view payload, std::string_view mask = "") {
  auto octet = [](size_t value) { return static_cast<char>(value & 0xff); };
  size_t masked = mask.empty() ? 0 : 0x80, size = payload.size();
  std::string out(1, octet(static_cast<size_t>(first) ^ 0x80));
  if (size < 126) {
    out += octet(masked | size);
  } else if (size <= 0xffff) {
    out += octet(masked | 126);
    out += octet(size >> 8);
    out += octet(size);
  } else {
    out += octet(masked | 127);
    for (int shift = 56; shift >= 0; shift -= 8) out += octet(size >> shift);
  }
  out += mask;
  for (size_t i = 0; i < size; ++i) out += mask.empty() ? payload[i] : static_cast<char>(payload[i] ^ mask[i % 4]);
  return out;
}

inline std::string close_payload(int code, std::string_view reason = "") {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)}.append(reason);
}

// One direction's permessage-deflate.
class Compressor {
 public:
  explicit Compressor(int window_bits = 15) {
    CHECK(deflateInit2(&stream_, 9, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  }
  ~Compressor() { deflateEnd(&stream_); }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  std::string message(std::string_view content) {
    std::string out = run(content, Z_SYNC_FLUSH);
    out.resize(out.size() - 4);  // RFC 7692 section 7.2.1
    return out;
  }
  // Ends with a last block (section 7.2.3.5).
  std::string last_message(std::string_view content) {
    std::string out = run(content, Z_FINISH) + '\0';
    deflateReset(&stream_);
    return out;
  }
  void forget() { deflateReset(&stream_); }

 private:
  std::string run(std::string_view content, int flush) {
    std::string out(deflateBound(&stream_, content.size()) + 64, '\0');
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
    stream_.avail_in = static_cast<uInt>(content.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    CHECK(deflate(&stream_, flush) >= Z_OK);
    out.resize(out.size() - stream_.avail_out);
    return out;
  }
  z_stream stream_{};
};

}  // namespace waylay::http
