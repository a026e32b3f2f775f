// Frames of HTTP/2 as they stand on the wire, right or wrong, from their parts (RFC 9113 section 4.1), and fields of a
// header block (RFC 7541): for tests that say what no session of ours or nghttp2's would.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace waylay::http {

inline std::string h2_frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  std::string made;
  for (int shift : {16, 8, 0}) made.push_back(static_cast<char>(payload.size() >> shift));
  made.push_back(static_cast<char>(type));
  made.push_back(static_cast<char>(flags));
  for (int shift : {24, 16, 8, 0}) made.push_back(static_cast<char>(stream >> shift));
  return made.append(payload);
}

// A literal that is not indexed, without Huffman coding.
inline std::string h2_field(std::string_view name, std::string_view value) {
  std::string made(1, '\0');
  for (std::string_view text : {name, value}) {
    made.push_back(static_cast<char>(std::min<size_t>(text.size(), 127)));
    if (text.size() >= 127) {
      size_t rest = text.size() - 127;
      for (; rest >= 128; rest /= 128) made.push_back(static_cast<char>(rest % 128 + 128));
      made.push_back(static_cast<char>(rest));
    }
    made.append(text);
  }
  return made;
}

}  // namespace waylay::http
