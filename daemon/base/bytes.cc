#include "base/bytes.h"

#include <algorithm>
#include <cstring>

namespace waylay {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace

std::string to_hex(Bytes bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out(bytes.size() * 2, '\0');
  char* at = out.data();
  for (std::byte byte : bytes) {
    *at++ = kDigits[std::to_integer<unsigned>(byte) >> 4];
    *at++ = kDigits[std::to_integer<unsigned>(byte) & 15];
  }
  return out;
}

namespace {

// Whether two words of text differ in the case of letters alone, or not at all. All their bytes at once: 0x20 is the
// only bit that differs, and only in bytes that are letters in one case and the other.
template <class Word>
bool equal_words(const char* a, const char* b) {
  constexpr auto each = [](uint8_t byte) { return static_cast<Word>(uint64_t{0x0101010101010101} * byte); };
  Word x = 0, y = 0;
  std::memcpy(&x, a, sizeof x);
  std::memcpy(&y, b, sizeof y);
  Word different = x ^ y;
  Word folded = x | each(0x20), low = folded & each(0x7f);
  // Its highest bit is set in a byte from 'a' on, and in one behind 'z'; no sum carries into the next byte.
  Word letters = (low + each(0x80 - 'a')) & ~(low + each(0x7f - 'z')) & ~folded & each(0x80);
  return (different & ~(letters >> 2)) == 0;
}

}  // namespace

// Names are mostly spelled alike, or differ at once: as many letters at a time as there are, the last word overlapping
// the one before.
bool equal_ignoring_case(std::string_view a, std::string_view b) {
  size_t size = a.size();
  if (size < 4) return std::equal(a.begin(), a.end(), b.begin(), [](char c, char d) { return lower(c) == lower(d); });
  const char *x = a.data(), *y = b.data();
  if (size < 8) return equal_words<uint32_t>(x, y) && equal_words<uint32_t>(x + size - 4, y + size - 4);
  for (size_t i = 0; i + 8 < size; i += 8)
    if (!equal_words<uint64_t>(x + i, y + i)) return false;
  return equal_words<uint64_t>(x + size - 8, y + size - 8);
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace waylay
