// The expression language with text from anywhere: what compiles must evaluate, an answer that is given may never
// change, and what is refused must say where, in a message that can be shown.
//
// The input is the values of a synthetic subject, a zero byte, and the expression; without a zero byte it is an
// expression only.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "match/expression.h"
#include "match/source.h"

namespace {

using namespace waylay;
using namespace waylay::match;

// Answers from a piece of the input that differs from field to field: absent, one value, or two.
class Synthetic : public Subject {
 public:
  explicit Synthetic(std::string_view bytes) : bytes_(bytes) {}

  Value value(Field field, std::string_view key) const override { return nth(field, key, 0); }

  Value json(Field field, const JsonPath& path) const override {
    size_t at = place(field, "") + path.steps().size();
    switch (byte(at) % 6) {
      case 0:
        return {};
      case 1:
        return byte(at + 1) % 2 == 1;
      case 2:
        return int64_t{byte(at + 1)} - 128;
      case 3:
        return (byte(at + 1) - 128) / 4.0;
      case 4:
        return Compound{};
      default:
        return bytes_.substr(at % bytes_.size(), byte(at + 1) % 32);
    }
  }

  void values(Field field, std::string_view key, ValueVisitor& visitor) const override {
    for (size_t i = 0; i < count(field, key); ++i) {
      if (!visitor.visit(nth(field, key, i))) return;
    }
  }

 private:
  size_t place(Field field, std::string_view key) const { return static_cast<size_t>(field) * 3 + key.size(); }
  uint8_t byte(size_t i) const { return bytes_.empty() ? 0 : static_cast<uint8_t>(bytes_[i % bytes_.size()]); }
  size_t count(Field field, std::string_view key) const { return byte(place(field, key)) % 3; }

  Value nth(Field field, std::string_view key, size_t n) const {
    if (count(field, key) == 0) return {};
    size_t at = place(field, key) + 1 + n;
    switch (info(field).type) {
      case Type::Boolean:
        return byte(at) % 2 == 1;
      case Type::String:
        return bytes_.substr(at % bytes_.size(), byte(at + 1) % 32);
      case Type::Address: {
        Address address;
        address.family = byte(at) % 2 == 0 ? Family::Ipv4 : Family::Ipv6;
        size_t length = address.family == Family::Ipv4 ? 4 : 16;
        for (size_t i = 0; i < length; ++i) address.ip[i] = byte(at + i);
        return address;
      }
      default:
        return int64_t{byte(at)} << (byte(at + 1) % 56);
    }
  }

  std::string_view bytes_;
};

constexpr Moment kMoments[] = {Moment::Connect,  Moment::Hello,        Moment::Request, Moment::RequestBody,
                               Moment::Response, Moment::ResponseBody, Moment::End};

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    size_t length = character_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void check_answers(const Expression& expression, const Subject& subject) {
  Truth before = Truth::Unknown;
  for (Moment now : kMoments) {
    Truth answer = expression.evaluate(subject, now);
    CHECK(before == Truth::Unknown || answer == before);
    CHECK(answer != Truth::Unknown || now < expression.known_at());
    before = answer;
  }
  CHECK(expression.matches(subject) == (before == Truth::Yes));
}

bool is_one_of(const std::vector<std::string>& names, std::string_view name) {
  for (const std::string& one : names) {
    if (one == name) return true;
  }
  return false;
}

std::string text_of(const Subject& subject, Field field) {
  Value value = subject.value(field, {});
  const auto* text = std::get_if<std::string_view>(&value);
  return text == nullptr ? std::string() : std::string(*text);
}

// An index by host or method may not lose an expression that matches.
void check_index(const Expression& expression, const Subject& subject) {
  if (!expression.matches(subject)) return;
  std::string host(host_without_port(text_of(subject, Field::HttpHost)));
  bool found = is_one_of(expression.hosts(), to_lower(host)) ||
               is_one_of(expression.hosts(), to_lower(text_of(subject, Field::TlsServerName)));
  CHECK(expression.hosts().empty() || found);
  CHECK(expression.methods().empty() || is_one_of(expression.methods(), text_of(subject, Field::HttpRequestMethod)));
}

void check_refusal(const Error& error) {
  CHECK(error.kind == ErrorKind::Invalid);
  CHECK(error.message.starts_with("line "));
  CHECK(error.message.find(", column ") != std::string::npos);
  CHECK(error.message.find("\n  ") != std::string::npos);
  CHECK(error.message.find('^') != std::string::npos);
  CHECK(error.message.size() < 2048);
  CHECK(is_utf8(error.message));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  size_t zero = input.find('\0');
  std::string_view text = zero == std::string_view::npos ? input : input.substr(zero + 1);
  std::string_view values = zero == std::string_view::npos ? std::string_view("abcGET") : input.substr(0, zero);

  Result<Expression> expression = Expression::compile(text);
  if (!expression) {
    check_refusal(expression.error());
    return 0;
  }
  CHECK(expression->text() == text);
  Synthetic subject(values);
  check_answers(*expression, subject);
  check_index(*expression, subject);
  return 0;
}
