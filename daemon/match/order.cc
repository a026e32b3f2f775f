#include "match/order.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace waylay::match {

namespace {

unsigned char fold(char c) {
  return static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

}  // namespace

std::partial_ordering order(const Address& a, const Address& b) {
  if (a.family != b.family) return std::partial_ordering::unordered;
  return std::memcmp(a.ip.data(), b.ip.data(), a.family == Family::Ipv4 ? 4 : 16) <=> 0;
}

std::partial_ordering order(int64_t a, double b) {
  constexpr double kBeyond = 9223372036854775808.0;  // 2^63, the first that is no int64_t
  if (std::isnan(b)) return std::partial_ordering::unordered;
  if (b >= kBeyond) return std::partial_ordering::less;
  if (b < -kBeyond) return std::partial_ordering::greater;
  double whole = std::trunc(b);
  auto integer = static_cast<int64_t>(whole);
  if (a != integer) return a <=> integer;
  return whole <=> b;
}

std::strong_ordering order(std::string_view a, std::string_view b, bool ignore_case) {
  if (!ignore_case) return a <=> b;
  size_t common = std::min(a.size(), b.size());
  for (size_t i = 0; i < common; ++i) {
    if (auto difference = fold(a[i]) <=> static_cast<unsigned char>(b[i]); difference != 0) return difference;
  }
  return a.size() <=> b.size();
}

bool contains(std::string_view text, std::string_view part, bool ignore_case) {
  if (!ignore_case) return text.find(part) != std::string_view::npos;
  auto same = [](char a, char b) { return fold(a) == static_cast<unsigned char>(b); };
  return std::ranges::search(text, part, same).size() == part.size();
}

bool is_in_network(const Address& address, const Address& base, unsigned prefix) {
  if (address.family != base.family) return false;
  unsigned bytes = prefix / 8, bits = prefix % 8;
  if (std::memcmp(address.ip.data(), base.ip.data(), bytes) != 0) return false;
  if (bits == 0) return true;
  return ((address.ip[bytes] ^ base.ip[bytes]) >> (8 - bits)) == 0;
}

}  // namespace waylay::match
