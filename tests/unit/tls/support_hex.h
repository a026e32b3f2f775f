// Bytes as the standards print them.
#pragma once

#include <string>
#include <string_view>

namespace waylay::tls::testing {

inline std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (size_t at = 0; at + 1 < hex.size(); at += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(at, 2)), nullptr, 16));
  return bytes;
}

}  // namespace waylay::tls::testing
