// Reads JSON that people write, strictly, and says what is wrong where: syntax by line and column, a value by JSON
// pointer (RFC 6901).
//
// A Reader keeps the first problem in the document's order and goes on with default values, so that code that reads
// reads like the document; whoever began asks failed() at the end. Values are borrowed from the document.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace waylay::rules {

using Json = nlohmann::ordered_json;

// Comments are allowed; a key twice in one object, nesting beyond 32 levels and more than `limit` bytes are not.
Result<Json> parse_json(std::string_view text, std::string_view origin, size_t limit);

class Place {  // of a value: "/rules/0/status"; "" is the whole document
 public:
  Place() = default;
  Place operator/(std::string_view key) const;
  Place operator/(size_t index) const { return Place(pointer_ + "/" + std::to_string(index)); }
  Place inside(std::string_view pointer) const { return Place(pointer_ + std::string(pointer)); }  // "" or "/a/0"
  const std::string& pointer() const { return pointer_; }

 private:
  explicit Place(std::string pointer) : pointer_(std::move(pointer)) {}
  std::string pointer_;
};

class Reader {
 public:
  // Gives the content of a file that a document names.
  using Files = std::function<Result<std::string>(const std::string& path)>;
  explicit Reader(std::string_view origin, Files files = nullptr) : origin_(origin), files_(std::move(files)) {}

  void wrong(const Place& place, std::string_view what);
  bool failed() const { return first_.has_value(); }
  const Error& first() const { return *first_; }

  // Whether `value` is an object with no other keys than these.
  bool is_object(const Json& value, const Place& place, const std::vector<std::string_view>& keys);

  // A value of this type; of another type it is a problem.
  std::optional<std::string> text(const Json& value, const Place& place);
  std::optional<int64_t> integer(const Json& value, const Place& place);
  std::optional<bool> boolean(const Json& value, const Place& place);
  // A number from `least` to `most`, whole or not.
  std::optional<double> number(const Json& value, const Place& place, double least, double most);
  // A duration such as "200ms", longer than nothing. `what` it is, for people: "a delay".
  std::optional<int64_t> duration(const Json& value, const Place& place, std::string_view what, int64_t most_ns);

  // Without Files it is an error that says who could have read it.
  Result<std::string> file(const std::string& path) const;

  // The same of the member `key` of an object; nothing when it is not there.
  static const Json* member(const Json& object, std::string_view key);
  std::optional<std::string> text(const Json& object, std::string_view key, const Place& place);
  std::optional<int64_t> integer(const Json& object, std::string_view key, const Place& place);
  std::optional<bool> boolean(const Json& object, std::string_view key, const Place& place);
  std::optional<int64_t> duration(const Json& object, std::string_view key, const Place& place, std::string_view what,
                                  int64_t most_ns);

 private:
  std::string origin_;
  Files files_;
  std::optional<Error> first_;
};

// "a number", "text": what a value is, in words.
std::string_view describe(const Json& value);

}  // namespace waylay::rules
