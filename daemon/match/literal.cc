#include "match/literal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "base/check.h"
#include "base/clock.h"

namespace waylay::match {

namespace {

struct Unit {
  std::string_view name;
  LiteralKind kind;
  int64_t factor;
};

constexpr int64_t kKibi = 1024;
constexpr auto kUnits = std::to_array<Unit>({
    {"", LiteralKind::Integer, 1},
    {"ns", LiteralKind::Duration, 1},
    {"us", LiteralKind::Duration, 1000},
    {"ms", LiteralKind::Duration, kMillisecond_ns},
    {"s", LiteralKind::Duration, kSecond_ns},
    {"m", LiteralKind::Duration, 60 * kSecond_ns},
    {"h", LiteralKind::Duration, 3600 * kSecond_ns},
    {"d", LiteralKind::Duration, 86400 * kSecond_ns},
    {"B", LiteralKind::Size, 1},
    {"kB", LiteralKind::Size, 1000},
    {"KB", LiteralKind::Size, 1000},
    {"MB", LiteralKind::Size, 1000'000},
    {"GB", LiteralKind::Size, 1000'000'000},
    {"TB", LiteralKind::Size, 1000'000'000'000},
    {"KiB", LiteralKind::Size, kKibi},
    {"MiB", LiteralKind::Size, kKibi* kKibi},
    {"GiB", LiteralKind::Size, kKibi* kKibi* kKibi},
    {"TiB", LiteralKind::Size, kKibi* kKibi* kKibi* kKibi},
});

// std::nullopt: too large, or not digits of this base.
std::optional<int64_t> read_digits(std::string_view digits, int base) {
  int64_t number = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

// number * factor + 0.fraction * factor, where that is a whole number that can be held.
std::optional<int64_t> scale(int64_t number, std::string_view fraction, int64_t factor) {
  constexpr size_t kMostDigits = 12;
  while (fraction.ends_with('0')) fraction.remove_suffix(1);
  if (fraction.size() > kMostDigits) return std::nullopt;
  int64_t power = 1;
  for (size_t i = 0; i < fraction.size(); ++i) power *= 10;

  int64_t parts = fraction.empty() ? 0 : read_digits(fraction, 10).value_or(0);
  int64_t whole = 0, rest = 0, sum = 0;
  if (__builtin_mul_overflow(number, factor, &whole)) return std::nullopt;
  if (__builtin_mul_overflow(parts, factor, &rest) || rest % power != 0) return std::nullopt;
  if (__builtin_add_overflow(whole, rest / power, &sum)) return std::nullopt;
  return sum;
}

size_t count_digits(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789"), text.size());
}

class Reader {
 public:
  Reader(const Source& source, const Token& token) : Reader(source, token, source.text(token.where)) {}

  Result<Literal> read() const {
    if (text_ == "true" || text_ == "false") return literal(LiteralKind::Boolean, text_ == "true" ? 1 : 0);
    bool dotted = std::ranges::count(text_, '.') > 1;
    if (dotted || text_.find_first_of(":/") != std::string_view::npos) return read_address();
    if (text_.starts_with("0x") || text_.starts_with("0X")) return read_hexadecimal();
    return text_.starts_with('-') ? read_negative() : read_decimal();
  }

 private:
  Reader(const Source& source, const Token& token, std::string_view text)
      : source_(source), token_(token), text_(text) {}

  Result<Literal> read_hexadecimal() const {
    std::string_view digits = text_.substr(2);
    if (digits.empty() || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
      return refuse("not a hexadecimal number");
    }
    std::optional<int64_t> number = read_digits(digits, 16);
    if (!number) return refuse("the number is too large");
    return literal(LiteralKind::Integer, *number);
  }

  Result<Literal> read_negative() const {
    Result<Literal> made = Reader(source_, token_, text_.substr(1)).read_decimal();
    if (!made) return made;
    if (made->kind != LiteralKind::Integer && made->kind != LiteralKind::Decimal) {
      return refuse("only plain numbers have a sign");
    }
    made->number = -made->number;
    made->decimal = -made->decimal;
    return made;
  }

  Result<Literal> read_decimal() const {
    std::string_view digits = text_.substr(0, count_digits(text_));
    std::string_view rest = text_.substr(digits.size()), fraction;
    if (rest.starts_with('.')) {
      fraction = rest.substr(1, count_digits(rest.substr(1)));
      rest.remove_prefix(1 + fraction.size());
      if (digits.empty() || fraction.empty()) return refuse("not a number, a duration, a size or an address");
    }
    if (digits.empty()) return refuse("not a number, a duration, a size or an address");
    // Elsewhere a leading zero means octal: what was meant cannot be known.
    if (digits.size() > 1 && digits[0] == '0') return refuse("a decimal number does not begin with 0");
    return read_unit(digits, fraction, rest);
  }

  Result<Literal> read_unit(std::string_view digits, std::string_view fraction, std::string_view name) const {
    const auto* unit = std::ranges::find(kUnits, name, &Unit::name);
    if (unit == kUnits.end()) {
      return refuse("unknown unit " + std::string(name.substr(0, 16)) +
                    "; durations are ns us ms s m h d, sizes are B KB MB GB TB KiB MiB GiB TiB");
    }
    if (unit->kind == LiteralKind::Integer && !fraction.empty()) return read_fraction();
    std::optional<int64_t> number = read_digits(digits, 10);
    if (!number) return refuse("the number is too large");
    std::optional<int64_t> scaled = scale(*number, fraction, unit->factor);
    if (!scaled && fraction.empty()) return refuse("the number is too large");
    if (!scaled) return refuse("too large, or not a whole number of bytes or nanoseconds");
    return literal(unit->kind, *scaled);
  }

  Result<Literal> read_fraction() const {
    Literal made = literal(LiteralKind::Decimal, 0);
    auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), made.decimal);
    if (error != std::errc() || end != text_.data() + text_.size()) return refuse("the number is too large");
    return made;
  }

  Result<Literal> read_address() const {
    size_t slash = text_.find('/');
    Result<Address> parsed = Address::parse_ip(text_.substr(0, slash), 0);
    if (!parsed) return refuse("not an IPv4 or IPv6 address");
    int bits = parsed->family == Family::Ipv4 ? 32 : 128;
    int64_t prefix = bits;
    if (slash != std::string_view::npos) {
      prefix = read_digits(text_.substr(slash + 1), 10).value_or(-1);
      if (prefix < 0 || prefix > bits) return refuse("the prefix of a network is 0 to " + std::to_string(bits));
    }
    Literal made = literal(slash == std::string_view::npos ? LiteralKind::Address : LiteralKind::Network, 0);
    // ::ffff:10.0.0.0/104 is 10.0.0.0/8: the values are compared unmapped, too.
    bool mapped = parsed->is_v4_mapped() && prefix >= 96;
    made.address = mapped ? parsed->unmapped() : *parsed;
    made.prefix = static_cast<uint8_t>(mapped ? prefix - 96 : prefix);
    return made;
  }

  Literal literal(LiteralKind kind, int64_t number) const {
    Literal made;
    made.kind = kind;
    made.where = token_.where;
    made.number = number;
    return made;
  }

  std::unexpected<Error> refuse(std::string_view problem) const { return fail(source_.error(token_.where, problem)); }

  const Source& source_;
  const Token& token_;
  std::string_view text_;
};

}  // namespace

std::string_view to_string(LiteralKind kind) {
  switch (kind) {
    case LiteralKind::Boolean:
      return "a boolean";
    case LiteralKind::Integer:
      return "an integer";
    case LiteralKind::Decimal:
      return "a decimal number";
    case LiteralKind::Duration:
      return "a duration";
    case LiteralKind::Size:
      return "a size";
    case LiteralKind::String:
      return "a string";
    case LiteralKind::Address:
      return "an address";
    case LiteralKind::Network:
      return "a network";
  }
  CHECK(!"a kind of literal");
}

Result<Literal> read_literal(const Source& source, const Token& token) {
  if (token.kind == TokenKind::Constant) return Reader(source, token).read();
  Literal made;
  made.kind = LiteralKind::String;
  made.where = token.where;
  made.string = token.string;
  made.plain = token.plain;
  return made;
}

}  // namespace waylay::match
