#include "tls/field25519.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>

#include <random>
#include <string>

#include "base/bytes.h"
#include "base/handle.h"

namespace waylay::tls::field25519::testing {
namespace {

using Number = Handle<BIGNUM, BN_free>;

const BIGNUM* modulus() {
  static const Number number = [] {
    BIGNUM* made = nullptr;
    BN_hex2bn(&made, "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");
    return Number(made);
  }();
  return number.get();
}

Number number_of(const Element& element) {
  Number sum(BN_new()), limb(BN_new());
  for (size_t i = element.limbs.size(); i-- > 0;) {
    BN_lshift(sum.get(), sum.get(), 51);
    BN_set_word(limb.get(), element.limbs[i]);
    BN_add(sum.get(), sum.get(), limb.get());
  }
  return sum;
}

// The number modulo the modulus, lowest byte first.
std::string expected(const BIGNUM* number) {
  Handle<BN_CTX, BN_CTX_free> context(BN_CTX_new());
  Number rest(BN_new());
  BN_nnmod(rest.get(), number, modulus(), context.get());
  std::array<unsigned char, 32> bytes;
  BN_bn2lebinpad(rest.get(), bytes.data(), static_cast<int>(bytes.size()));
  return to_hex(as_bytes(bytes.data(), bytes.size()));
}

std::string value(const Element& element) {
  return to_hex(to_bytes(element));
}

Element with_limbs_of(std::mt19937_64& random, uint64_t largest) {
  Element element;
  for (uint64_t& limb : element.limbs) limb = random() % 3 == 0 ? largest : random() % (largest + 1);
  return element;
}

TEST(Field25519, SumsDifferencesAndProductsAreThoseOfTheNumbers) {
  Handle<BN_CTX, BN_CTX_free> context(BN_CTX_new());
  std::mt19937_64 random(1);
  Number result(BN_new());
  for (int turn = 0; turn < 5000; ++turn) {
    Element a = with_limbs_of(random, (uint64_t{1} << 54) - 1), b = with_limbs_of(random, (uint64_t{1} << 53) - 76);
    Number x = number_of(a), y = number_of(b);
    BN_add(result.get(), x.get(), y.get());
    EXPECT_EQ(value(a + b), expected(result.get()));
    BN_sub(result.get(), x.get(), y.get());
    EXPECT_EQ(value(a - b), expected(result.get()));
    BN_mul(result.get(), x.get(), y.get(), context.get());
    EXPECT_EQ(value(a * b), expected(result.get()));
    BN_sqr(result.get(), x.get(), context.get());
    EXPECT_EQ(value(square(a)), expected(result.get()));
  }
}

TEST(Field25519, AProductsLimbsAreSmall) {
  Element largest;
  largest.limbs.fill((uint64_t{1} << 54) - 1);
  for (const Element& product : {largest * largest, square(largest)})
    for (uint64_t limb : product.limbs) EXPECT_LT(limb, uint64_t{1} << 52);
}

TEST(Field25519, ValuesAreWrittenBelowTheModulus) {
  for (uint64_t above : {0, 1, 18, 19, 20}) {
    Element element = {{kLimb - 18 + above, kLimb, kLimb, kLimb, kLimb}};  // the modulus and a bit
    EXPECT_EQ(value(element), expected(number_of(element).get())) << above;
  }
  Element below = {{kLimb - 19, kLimb, kLimb, kLimb, kLimb}};
  EXPECT_EQ(value(below), expected(number_of(below).get()));
  EXPECT_EQ(value(kZero), std::string(64, '0'));
}

TEST(Field25519, AnInverseTimesItsNumberIsOne) {
  std::mt19937_64 random(2);
  for (int turn = 0; turn < 200; ++turn) {
    Element a = with_limbs_of(random, kLimb);
    EXPECT_EQ(value(inverse(a) * a), value(kOne));
  }
  EXPECT_EQ(value(inverse(kZero)), value(kZero));
}

TEST(Field25519, AMaskDecidesWhatIsTaken) {
  Element a = {{1, 2, 3, 4, 5}};
  const Element b = {{6, 7, 8, 9, 10}};
  a.take(b, 0);
  EXPECT_EQ(a.limbs[4], 5U);
  a.take(b, ~uint64_t{0});
  EXPECT_EQ(a.limbs, b.limbs);
}

}  // namespace
}  // namespace waylay::tls::field25519::testing
