// Bytes are std::span<const std::byte>; text is std::string_view. These go from one to the other without a copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace waylay {

using Bytes = std::span<const std::byte>;

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline Bytes as_bytes(const void* data, size_t size) {
  return {static_cast<const std::byte*>(data), size};
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline const uint8_t* as_u8(Bytes bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}

std::string to_hex(Bytes bytes);  // lower case

bool equal_ignoring_case(std::string_view a, std::string_view b);  // of the same size
// ASCII only: what header names, host names and schemes compare by, whatever the locale.
inline bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && equal_ignoring_case(a, b);
}
std::string to_lower(std::string_view text);
std::string_view trim(std::string_view text);  // spaces and tabs

}  // namespace waylay
