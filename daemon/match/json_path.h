// A path to one value in a JSON document: RFC 9535's singular query without negative indexes, such as
// $.Item.id.S, $.a[0]["c d"] or $['x-y'].
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace waylay::match {

class JsonPath {
 public:
  using Step = std::variant<std::string, size_t>;  // a member of an object, an index of an array

  // What is wrong with a path, and where in it, in bytes.
  struct Problem {
    size_t begin = 0, size = 0;
    std::string what;
  };

  static std::variant<JsonPath, Problem> parse(std::string_view text);

  const std::vector<Step>& steps() const { return steps_; }  // none: the whole document

 private:
  std::vector<Step> steps_;
};

}  // namespace waylay::match
