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
  using Stored = std::variant<bool, int64_t, std::string, Address>;

  FakeSubject& with(Field field, Stored value, const std::string& key = "") {
    values_[{field, key}].push_back(std::move(value));
    return *this;
  }
  FakeSubject& with(Field field, const char* text, const std::string& key = "") {
    return with(field, Stored(std::string(text)), key);
  }
  FakeSubject& with(Field field, int number) { return with(field, Stored(int64_t{number})); }
  FakeSubject& with_address(Field field, const char* ip) {
    return with(field, Stored(Address::parse_ip(ip, 443).value()));
  }

  Value value(Field field, std::string_view key) const override {
    const std::vector<Stored>* stored = find(field, key);
    return stored == nullptr ? Value{} : borrow(stored->front());
  }

  void values(Field field, std::string_view key, ValueVisitor& visitor) const override {
    const std::vector<Stored>* stored = find(field, key);
    if (stored == nullptr) return;
    for (const Stored& one : *stored) {
      if (!visitor.visit(borrow(one))) return;
    }
  }

 private:
  const std::vector<Stored>* find(Field field, std::string_view key) const {
    auto found = values_.find({field, std::string(key)});
    return found == values_.end() ? nullptr : &found->second;
  }

  static Value borrow(const Stored& stored) {
    if (const auto* text = std::get_if<std::string>(&stored)) return std::string_view(*text);
    if (const auto* number = std::get_if<int64_t>(&stored)) return *number;
    if (const auto* address = std::get_if<Address>(&stored)) return *address;
    return std::get<bool>(stored);
  }

  std::map<std::pair<Field, std::string>, std::vector<Stored>> values_;
};

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
