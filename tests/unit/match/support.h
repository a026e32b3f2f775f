// A subject made of what a test gives it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "match/expression.h"

namespace waylay::match {

class FakeSubject : public Subject {
 public:
  using Stored = std::variant<bool, int64_t, double, std::string, Address, Compound>;

  FakeSubject& with(Field field, Stored value, const std::string& key = "") {
    values_[{field, key}].push_back(std::move(value));
    return *this;
  }
  FakeSubject& with(Field field, const char* text, const std::string& key = "") {
    return with(field, Stored(std::string(text)), key);
  }
  FakeSubject& with(Field field, int number, const std::string& key = "") {
    return with(field, Stored(int64_t{number}), key);
  }
  FakeSubject& with_address(Field field, const char* ip) {
    return with(field, Stored(Address::parse_ip(ip, 443).value()));
  }

  Value value(Field field, std::string_view key) const override {
    const std::vector<Stored>* stored = find(field, key);
    return stored == nullptr ? Value{} : borrow(stored->front());
  }

  // A test gives a JSON value with its path's steps as the key: "a/0".
  Value json(Field field, const JsonPath& path) const override { return value(field, text_of(path)); }

  void values(Field field, std::string_view key, ValueVisitor& visitor) const override {
    const std::vector<Stored>* stored = find(field, key);
    if (stored == nullptr) return;
    for (const Stored& one : *stored) {
      if (!visitor.visit(borrow(one))) return;
    }
  }

 private:
  static std::string text_of(const JsonPath& path) {
    std::string text;
    for (const JsonPath::Step& step : path.steps()) {
      const auto* index = std::get_if<size_t>(&step);
      text += (text.empty() ? "" : "/") + (index != nullptr ? std::to_string(*index) : std::get<std::string>(step));
    }
    return text;
  }

  const std::vector<Stored>* find(Field field, std::string_view key) const {
    auto found = values_.find({field, std::string(key)});
    return found == values_.end() ? nullptr : &found->second;
  }

  static Value borrow(const Stored& stored) {
    if (const auto* text = std::get_if<std::string>(&stored)) return std::string_view(*text);
    if (const auto* number = std::get_if<int64_t>(&stored)) return *number;
    if (const auto* address = std::get_if<Address>(&stored)) return *address;
    if (const auto* decimal = std::get_if<double>(&stored)) return *decimal;
    if (std::holds_alternative<Compound>(stored)) return Compound{};
    return std::get<bool>(stored);
  }

  std::map<std::pair<Field, std::string>, std::vector<Stored>> values_;
};

// A field as it stands in an expression, with a key if it takes one.
inline std::string spelled(const FieldInfo& field, std::string_view name) {
  switch (field.key) {
    case Key::None:
      return std::string(name);
    case Key::HeaderName:
      return std::string(name) + "[\"a\"]";
    case Key::JsonPath:
      return std::string(name) + "[\"$.a\"]";
  }
  return "";
}

inline Expression compiled(std::string_view text) {
  Result<Expression> expression = Expression::compile(text);
  EXPECT_TRUE(expression.has_value()) << text << "\n" << (expression ? "" : expression.error().message);
  return expression ? std::move(*expression) : Expression();
}

inline bool matches(std::string_view text, const Subject& subject) {
  return compiled(text).matches(subject);
}

// The message of the error that compiling must give.
inline std::string refused(std::string_view text) {
  Result<Expression> expression = Expression::compile(text);
  if (expression) return "accepted";
  EXPECT_EQ(expression.error().kind, ErrorKind::Invalid);
  return expression.error().message;
}

}  // namespace waylay::match
