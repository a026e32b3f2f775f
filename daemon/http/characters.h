// The character classes of RFC 9110 section 5.6.2 and 5.5. Plain ASCII, whatever the locale; by table, since every byte
// of every head passes here.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace waylay::http {
namespace characters {

consteval std::array<bool, 256> token_table() {
  std::array<bool, 256> table{};
  for (char c = '0'; c <= '9'; ++c) table[static_cast<uint8_t>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<uint8_t>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<uint8_t>(c)] = true;
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<uint8_t>(c)] = true;
  return table;
}
inline constexpr std::array<bool, 256> kToken = token_table();

}  // namespace characters

inline bool is_token(char c) {
  return characters::kToken[static_cast<uint8_t>(c)];
}

// What may stand in a field's value or a reason phrase: tab, blank, visible characters and obs-text (0x80 and above).
inline bool is_field_text(char c) {
  auto byte = static_cast<uint8_t>(c);
  return (byte >= 0x20 || byte == '\t') && byte != 0x7f;
}

// Without an early end, unlike std::all_of, so that the compiler looks at sixteen bytes at once: every byte of every
// head passes here, and hardly any is wrong.
template <class Good>
bool all_are(std::string_view text, Good good) {
  bool bad = false;
  for (char c : text) bad |= !good(c);
  return !bad;
}

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace waylay::http
