#include "match/operand.h"

#include "base/bytes.h"
#include "base/check.h"
#include "match/order.h"

namespace waylay::match {

namespace {

bool is_number(LiteralKind kind) {
  return kind == LiteralKind::Integer || kind == LiteralKind::Decimal || kind == LiteralKind::Size;
}

bool accepts(Type type, LiteralKind kind) {
  switch (type) {
    case Type::Boolean:
      return kind == LiteralKind::Boolean;
    case Type::Integer:
      return kind == LiteralKind::Integer;
    case Type::String:
      return kind == LiteralKind::String;
    case Type::Address:
      return kind == LiteralKind::Address || kind == LiteralKind::Network;
    case Type::Duration:
      return kind == LiteralKind::Duration;
    case Type::Size:
      return kind == LiteralKind::Size || kind == LiteralKind::Integer;
    case Type::Json:
      return kind == LiteralKind::Boolean || kind == LiteralKind::String || is_number(kind);
  }
  CHECK(!"a type");
}

std::string_view with_article(Type type) {
  switch (type) {
    case Type::Boolean:
      return "a boolean";
    case Type::Integer:
      return "an integer";
    case Type::String:
      return "a string";
    case Type::Address:
      return "an address";
    case Type::Duration:
      return "a duration";
    case Type::Size:
      return "a size";
    case Type::Json:
      return "a value of JSON";
  }
  CHECK(!"a type");
}

// What to write instead.
std::string type_hint(Type type, std::string_view written) {
  std::string text(written.size() <= 32 ? written : "...");
  switch (type) {
    case Type::Boolean:
      return "write true or false";
    case Type::Integer:
      return "write a plain number, as in 443 or 0x1bb";
    case Type::String:
      return text.starts_with('"') ? "" : "write it in quotes: \"" + text + "\"";
    case Type::Address:
      return "write it without quotes, as in 10.0.0.1, 10.0.0.0/8 or ::1";
    case Type::Duration:
      return "write it with its unit, as in 250ms or 2s";
    case Type::Size:
      return "write it as in 4096, 10KiB or 5MB";
    case Type::Json:
      return "write it as in \"text\", -1.5 or true";
  }
  CHECK(!"a type");
}

Result<void> check_type(const Source& source, const FieldInfo& field, const Literal& literal) {
  if (accepts(field.type, literal.kind)) return {};
  std::string problem = std::string(field.name) + " is " + std::string(with_article(field.type)) + ", not " +
                        std::string(to_string(literal.kind)) + "; " + type_hint(field.type, source.text(literal.where));
  return fail(source.error(literal.where, problem));
}

// A host that is compared without its port can never be equal to one that has a port.
Result<void> check_host(const Source& source, const FieldInfo& field, const Literal& literal) {
  if (field.field != Field::HttpHost || host_without_port(literal.string).size() == literal.string.size()) return {};
  return fail(source.error(literal.where, "http.host is compared without its port; ask for the port with tcp.dstport"));
}

std::string comparable(const FieldInfo& field, const std::string& text) {
  return field.ignore_case ? to_lower(text) : text;
}

bool is_order(Operator compare) {
  return compare == Operator::Less || compare == Operator::Greater || compare == Operator::LessOrEqual ||
         compare == Operator::GreaterOrEqual;
}

// RE2 names the piece of the pattern that it does not like; where the pattern stands in the source as it is, point at
// that.
Range place_in_pattern(const Literal& literal, const Source& source, const re2::RE2& pattern) {
  size_t in_pattern = literal.string.find(pattern.error_arg());
  if (pattern.error_arg().empty() || in_pattern == std::string::npos) return literal.where;
  return source.within_string(literal.where, literal.plain, {in_pattern, pattern.error_arg().size()});
}

// The right side decides what is compared.
Result<Operand> make_json_operand(const Source& source, Operator compare, const Literal& literal) {
  bool of_strings = compare == Operator::Contains || compare == Operator::Matches;
  if (of_strings && literal.kind != LiteralKind::String) {
    return fail(source.error(literal.where, "text is searched for text; write it in quotes"));
  }
  if (literal.kind == LiteralKind::String) return Text{literal.string};
  if (literal.kind == LiteralKind::Decimal) return DecimalRange{literal.decimal, literal.decimal};
  if (literal.kind != LiteralKind::Boolean) return NumberRange{literal.number, literal.number};
  if (is_order(compare))
    return fail(source.error(literal.where, "true and false have no order; compare with == or !="));
  return Flag{literal.number != 0};
}

double as_decimal(const Literal& literal) {
  return literal.kind == LiteralKind::Decimal ? literal.decimal : static_cast<double>(literal.number);
}

// Two numbers of which one is a decimal, at least. Bounds of above 2^53 beside a decimal are rounded: nobody means
// those.
DecimalRange decimal_range(const Literal& low, const Literal& high) {
  return {as_decimal(low), as_decimal(high)};
}

}  // namespace

Result<void> check_operator(const Source& source, Range where, const FieldInfo& field, Operator compare) {
  std::string field_is = std::string(field.name) + " is " + std::string(with_article(field.type));
  bool of_strings = compare == Operator::Contains || compare == Operator::Matches;
  if (of_strings && field.type != Type::String && field.type != Type::Json) {
    return fail(source.error(where, std::string(source.text(where)) + " needs a string; " + field_is));
  }
  if (is_order(compare) && field.type == Type::Boolean) {
    return fail(source.error(where, field_is + " and has no order; compare it with == or !="));
  }
  return {};
}

Result<Operand> make_operand(const Source& source, const FieldInfo& field, Operator compare, const Literal& literal) {
  if (Result<void> checked = check_type(source, field, literal); !checked) return fail(checked);
  if (field.type == Type::Json) return make_json_operand(source, compare, literal);
  switch (literal.kind) {
    case LiteralKind::String: {
      bool whole = compare == Operator::Equal || compare == Operator::NotEqual;
      Result<void> checked = whole ? check_host(source, field, literal) : Result<void>{};
      if (!checked) return fail(checked);
      return Text{comparable(field, literal.string)};
    }
    case LiteralKind::Network:
      if (is_order(compare)) return fail(source.error(literal.where, "a network has no order; compare with == or in"));
      return Network{literal.address, literal.prefix};
    case LiteralKind::Address:
      return Network{literal.address, literal.prefix};
    default:
      return NumberRange{literal.number, literal.number};
  }
}

Result<Operand> make_range(const Source& source, const FieldInfo& field, const Literal& low, const Literal& high) {
  for (const Literal* end : {&low, &high}) {
    if (Result<void> checked = check_type(source, field, *end); !checked) return fail(checked);
    if (end->kind == LiteralKind::Network)
      return fail(source.error(end->where, "a range goes from address to address"));
  }
  Range both{low.where.begin, high.where.begin + high.where.size - low.where.begin};
  auto refuse_empty = [&] { return fail(source.error(both, "the range is empty: its end is before its beginning")); };
  // Literals of a JSON value may be of two kinds; of every other field they are of one.
  if (is_number(low.kind) != is_number(high.kind)) return fail(source.error(both, "both ends must be of one type"));
  switch (low.kind) {
    case LiteralKind::Boolean:
      return fail(source.error(both, "booleans have no ranges"));
    case LiteralKind::String: {
      if (high.kind != LiteralKind::String) return fail(source.error(both, "both ends must be of one type"));
      TextRange range{comparable(field, low.string), comparable(field, high.string)};
      if (range.low > range.high) return refuse_empty();
      return range;
    }
    case LiteralKind::Address:
      if (low.address.family != high.address.family) return fail(source.error(both, "both ends must be IPv4, or IPv6"));
      if (order(high.address, low.address) < 0) return refuse_empty();
      return AddressRange{low.address, high.address};
    default:
      if (as_decimal(low) > as_decimal(high)) return refuse_empty();
      if (low.kind == LiteralKind::Decimal || high.kind == LiteralKind::Decimal) return decimal_range(low, high);
      if (low.number > high.number) return refuse_empty();
      return NumberRange{low.number, high.number};
  }
}

Result<std::unique_ptr<re2::RE2>> make_pattern(const Source& source, const FieldInfo& field, const Literal& literal) {
  // What one pattern may hold: its program, and the automaton that it builds while it is used (beyond that it gets
  // slower, not larger). Patterns of rules need a few KiB.
  constexpr int64_t kMostMemory = 1 << 20;
  if (Result<void> checked = check_type(source, field, literal); !checked) return fail(checked);
  re2::RE2::Options options;
  options.set_case_sensitive(false);  // as Wireshark does
  options.set_never_capture(true);
  options.set_log_errors(false);
  options.set_max_mem(kMostMemory);
  auto pattern = std::make_unique<re2::RE2>(literal.string, options);
  if (pattern->ok()) return pattern;
  return fail(
      source.error(place_in_pattern(literal, source, *pattern), "the regular expression (RE2): " + pattern->error()));
}

}  // namespace waylay::match
