// The integers modulo 2^255 - 19, in five limbs of 51 bits: what X25519 computes with. Every operation takes the same
// time whatever the values are.
//
// Limbs may be larger than 51 bits. A product's are below 2^52; a sum of two such, and a difference (to which a
// multiple of the modulus is added, so that no limb is below zero), are good as a factor and as either side of one more
// difference. Two factors' limbs together have at most 108 bits: the callers in x25519.cc keep to that.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace waylay::tls::field25519 {

__extension__ typedef unsigned __int128 Wide;
constexpr uint64_t kLimb = (uint64_t{1} << 51) - 1;

// The compiler learns nothing about the value, so that it makes no branch of a mask.
inline uint64_t opaque(uint64_t value) {
  asm volatile("" : "+r"(value));
  return value;
}

struct Element {
  std::array<uint64_t, 5> limbs{};

  // `other`, where the mask is all ones; unchanged, where it is zero.
  void take(const Element& other, uint64_t mask) {
    for (size_t i = 0; i < limbs.size(); ++i) limbs[i] ^= mask & (limbs[i] ^ other.limbs[i]);
  }
};

constexpr Element kZero = {};
constexpr Element kOne = {{1}};

// The value's four words, lowest first; below the modulus.
constexpr Element from_words(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
  return {{a & kLimb, (a >> 51 | b << 13) & kLimb, (b >> 38 | c << 26) & kLimb, (c >> 25 | d << 39) & kLimb, d >> 12}};
}

constexpr Element operator+(const Element& a, const Element& b) {
  Element sum;
  for (size_t i = 0; i < sum.limbs.size(); ++i) sum.limbs[i] = a.limbs[i] + b.limbs[i];
  return sum;
}

// b's limbs are at most 2^53 - 76.
constexpr Element operator-(const Element& a, const Element& b) {
  constexpr std::array<uint64_t, 5> kFourTimesModulus = {4 * (kLimb - 18), 4 * kLimb, 4 * kLimb, 4 * kLimb, 4 * kLimb};
  Element difference;
  for (size_t i = 0; i < difference.limbs.size(); ++i)
    difference.limbs[i] = a.limbs[i] + kFourTimesModulus[i] - b.limbs[i];
  return difference;
}

namespace detail {

constexpr Wide product(uint64_t a, uint64_t b) {
  return Wide{a} * b;
}

// Sums of products, the place i's worth 2^(51 i); 2^255 is 19.
constexpr Element reduced(std::array<Wide, 5> sums) {
  for (size_t i = 0; i < 4; ++i) sums[i + 1] += static_cast<uint64_t>(sums[i] >> 51);
  auto limb = [&](size_t i) { return static_cast<uint64_t>(sums[i]) & kLimb; };
  uint64_t lowest = limb(0) + 19 * static_cast<uint64_t>(sums[4] >> 51);
  return {{lowest & kLimb, limb(1) + (lowest >> 51), limb(2), limb(3), limb(4)}};
}

}  // namespace detail

constexpr Element operator*(const Element& left, const Element& right) {
  using detail::product;
  const auto& a = left.limbs;
  const auto& b = right.limbs;
  uint64_t b1 = 19 * b[1], b2 = 19 * b[2], b3 = 19 * b[3], b4 = 19 * b[4];
  return detail::reduced(
      {product(a[0], b[0]) + product(a[1], b4) + product(a[2], b3) + product(a[3], b2) + product(a[4], b1),
       product(a[0], b[1]) + product(a[1], b[0]) + product(a[2], b4) + product(a[3], b3) + product(a[4], b2),
       product(a[0], b[2]) + product(a[1], b[1]) + product(a[2], b[0]) + product(a[3], b4) + product(a[4], b3),
       product(a[0], b[3]) + product(a[1], b[2]) + product(a[2], b[1]) + product(a[3], b[0]) + product(a[4], b4),
       product(a[0], b[4]) + product(a[1], b[3]) + product(a[2], b[2]) + product(a[3], b[1]) + product(a[4], b[0])});
}

// a * a. `a`'s limbs have at most 54 bits.
constexpr Element square(const Element& element) {
  using detail::product;
  const auto& a = element.limbs;
  uint64_t twice0 = 2 * a[0], twice1 = 2 * a[1], a3 = 19 * a[3], a4 = 19 * a[4];
  return detail::reduced({product(a[0], a[0]) + product(twice1, a4) + product(2 * a[2], a3),
                          product(twice0, a[1]) + product(2 * a[2], a4) + product(a[3], a3),
                          product(twice0, a[2]) + product(a[1], a[1]) + product(2 * a[3], a4),
                          product(twice0, a[3]) + product(twice1, a[2]) + product(a[4], a4),
                          product(twice0, a[4]) + product(twice1, a[3]) + product(a[2], a[2])});
}

constexpr Element squared(Element a, int times) {
  for (int i = 0; i < times; ++i) a = square(a);
  return a;
}

// a^(p - 2), which is 1 / a, and 0 for 0. p - 2 = 2^255 - 21; the names say how many ones an exponent has.
inline Element inverse(const Element& a) {
  Element two = square(a);
  Element nine = squared(two, 2) * a;
  Element eleven = nine * two;
  Element ones5 = square(eleven) * nine;
  Element ones10 = squared(ones5, 5) * ones5;
  Element ones20 = squared(ones10, 10) * ones10;
  Element ones40 = squared(ones20, 20) * ones20;
  Element ones50 = squared(ones40, 10) * ones10;
  Element ones100 = squared(ones50, 50) * ones50;
  Element ones200 = squared(ones100, 100) * ones100;
  Element ones250 = squared(ones200, 50) * ones50;
  return squared(ones250, 5) * eleven;
}

// The value itself, below the modulus, lowest byte first.
inline std::array<std::byte, 32> to_bytes(const Element& a) {
  auto limbs = (a * kOne).limbs;  // below 2^52
  auto carry_through = [&limbs] {
    for (size_t i = 0; i < 4; ++i) {
      limbs[i + 1] += limbs[i] >> 51;
      limbs[i] &= kLimb;
    }
    uint64_t above = limbs[4] >> 51;
    limbs[4] &= kLimb;
    return above;
  };
  limbs[0] += 19 * carry_through();
  limbs[0] += 19 * carry_through();  // now below 2^255
  // Adding 19 and taking 2^255 off again takes the modulus off, where the value is not below it.
  auto before = limbs;
  limbs[0] += 19;
  uint64_t mask = opaque(carry_through() - 1);  // all ones: it was below the modulus
  for (size_t i = 0; i < limbs.size(); ++i) limbs[i] ^= mask & (limbs[i] ^ before[i]);
  const std::array<uint64_t, 4> words = {limbs[0] | limbs[1] << 51, limbs[1] >> 13 | limbs[2] << 38,
                                         limbs[2] >> 26 | limbs[3] << 25, limbs[3] >> 39 | limbs[4] << 12};
  std::array<std::byte, 32> bytes;
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(words[i / 8] >> (8 * (i % 8)));
  return bytes;
}

}  // namespace waylay::tls::field25519
