#include "tls/x25519.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "tls/field25519.h"
#include "tls/key_schedule.h"

namespace waylay::tls {
namespace {

using field25519::Element;

// edwards25519 (RFC 7748 section 4.1), which has the same points as curve25519 and complete formulas: X = x Z, Y = y Z,
// X Y = T Z.
struct Point {
  Element x, y, z, t;
};

// A point of the table with z = 1, as additions want it: y + x, y - x, 2 d x y.
struct Multiple {
  Element sum, difference, product;
};

constexpr Multiple kNeutral = {field25519::kOne, field25519::kOne, field25519::kZero};

// Hisil, Wong, Carter, Dawson: Twisted Edwards curves revisited (2008), section 3.1, with z2 = 1. Good for all points.
Point add(const Point& p, const Multiple& q) {
  Element a = (p.y - p.x) * q.difference;
  Element b = (p.y + p.x) * q.sum;
  Element c = p.t * q.product;
  Element d = p.z + p.z;
  Element e = b - a, f = d - c, g = d + c, h = b + a;
  return {e * f, g * h, f * g, e * h};
}

// The same, section 3.3, with a = -1.
Point twice(const Point& p) {
  Element a = square(p.x);
  Element b = square(p.y);
  Element c = square(p.z);
  Element sum = p.x + p.y;
  Element h = field25519::kZero - (a + b);
  Element e = square(sum) - (a + b);
  Element g = b - a;
  Element f = g - (c + c);
  return {e * f, g * h, f * g, e * h};
}

// For each byte of a key, from the lowest, the multiples 1 to 8 of 256^(its place) times the base point.
constexpr size_t kRows = 32, kMultiples = 8;
using Table = std::array<std::array<Multiple, kMultiples>, kRows>;

class TableMaker {
 public:
  std::unique_ptr<const Table> make() {
    auto table = std::make_unique<Table>();
    Point point = base();
    for (auto& row : *table) {
      row[0] = multiple(point);
      Point next = point;
      for (size_t i = 1; i < kMultiples; ++i) row[i] = multiple(next = add(next, row[0]));
      for (int bit = 0; bit < 8; ++bit) point = twice(point);
    }
    return table;
  }

 private:
  static Point base() {
    constexpr Element kX =
        field25519::from_words(0xc9562d608f25d51a, 0x692cc7609525a7b2, 0xc0a4e231fdd6dc5c, 0x216936d3cd6e53fe);
    constexpr Element kY =
        field25519::from_words(0x6666666666666658, 0x6666666666666666, 0x6666666666666666, 0x6666666666666666);
    return {kX, kY, field25519::kOne, kX * kY};
  }
  Multiple multiple(const Point& p) const {
    Element scale = field25519::inverse(p.z);
    Element x = p.x * scale, y = p.y * scale;
    return {(y + x) * field25519::kOne, (y - x) * field25519::kOne, x * y * twice_d_};  // "* one" makes limbs small
  }

  // d = -121665 / 121666
  Element d_ = (field25519::kZero - Element{{121665}}) * field25519::inverse(Element{{121666}});
  Element twice_d_ = (d_ + d_) * field25519::kOne;
};

const Table& table() {
  static const std::unique_ptr<const Table> made = TableMaker().make();
  return *made;
}

// digit times what the row is for. All of the row is read, whatever the digit, which is from -8 to 8.
Multiple select(const std::array<Multiple, kMultiples>& row, int8_t digit) {
  uint64_t negative = field25519::opaque(0 - static_cast<uint64_t>(static_cast<uint8_t>(digit) >> 7));
  auto sign = static_cast<int8_t>(negative);
  auto magnitude = static_cast<uint64_t>(static_cast<uint8_t>((digit ^ sign) - sign));
  Multiple chosen = kNeutral;
  for (uint64_t i = 0; i < kMultiples; ++i) {
    uint64_t mask = field25519::opaque(0 - (((magnitude ^ (i + 1)) - 1) >> 63));  // all ones where they are equal
    chosen.sum.take(row[i].sum, mask);
    chosen.difference.take(row[i].difference, mask);
    chosen.product.take(row[i].product, mask);
  }
  Element sum = chosen.sum;
  chosen.sum.take(chosen.difference, negative);
  chosen.difference.take(sum, negative);
  chosen.product.take(field25519::kZero - chosen.product, negative);
  return chosen;
}

// The key in base 16 with digits from -8 to 8, clamped as RFC 7748 section 5 wants it.
std::array<int8_t, 2 * kRows> digits_of(std::span<const std::byte, kX25519Size> key) {
  std::array<int8_t, 2 * kRows> digits;
  for (size_t i = 0; i < kX25519Size; ++i) {
    auto byte = std::to_integer<uint8_t>(key[i]);
    if (i == 0) byte &= 0xf8;
    if (i == kX25519Size - 1) byte = static_cast<uint8_t>((byte & 0x7f) | 0x40);
    digits[2 * i] = static_cast<int8_t>(byte & 15);
    digits[2 * i + 1] = static_cast<int8_t>(byte >> 4);
  }
  int carry = 0;
  for (size_t i = 0; i + 1 < digits.size(); ++i) {
    int digit = digits[i] + carry;
    carry = (digit + 8) >> 4;
    digits[i] = static_cast<int8_t>(digit - carry * 16);
  }
  digits.back() = static_cast<int8_t>(digits.back() + carry);  // at most 7, as bit 255 is clear, and the carry
  return digits;
}

template <class T>
void wipe_value(T& value) {
  wipe(std::as_writable_bytes(std::span(&value, 1)));
}

}  // namespace

// The odd digits first, then sixteen times that and the even ones: so a row serves two digits.
void x25519_public_key(std::span<const std::byte, kX25519Size> private_key,
                       std::span<std::byte, kX25519Size> public_key) {
  auto digits = digits_of(private_key);
  const Table& rows = table();
  Point point = {field25519::kZero, field25519::kOne, field25519::kOne, field25519::kZero};
  for (size_t i = 0; i < kRows; ++i) point = add(point, select(rows[i], digits[2 * i + 1]));
  for (int bit = 0; bit < 4; ++bit) point = twice(point);
  for (size_t i = 0; i < kRows; ++i) point = add(point, select(rows[i], digits[2 * i]));
  // RFC 7748 section 4.1: u = (1 + y) / (1 - y)
  Element u = (point.z + point.y) * field25519::inverse(point.z - point.y);
  auto bytes = field25519::to_bytes(u);
  std::ranges::copy(bytes, public_key.begin());
  wipe_value(digits);
  wipe_value(point);
}

}  // namespace waylay::tls
