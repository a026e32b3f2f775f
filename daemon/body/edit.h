// One edit of a body that a rule wants: a regular expression (RE2), a JSON Patch (RFC 6902) or a JSON Merge Patch
// (RFC 7386).
//
//     {"regex": "pa(.*)n", "with": "\\1", "first": true}   RE2, regarding case; \0 is the match, \1 to \9 its groups;
//                                                           every occurrence, unless only the first one is meant
//     {"json_patch": [{"op": "replace", "path": "/a/0", "value": 1}]}
//     {"merge_patch": {"a": {"b": null}}}
//
// Immutable: any number of threads may apply it. JSON that was edited is written compactly, the members of an object
// in the order of their names; a number beyond 64 bits becomes the nearest double.
#pragma once

#include <expected>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"
#include "body/content.h"

namespace waylay::body {

class Edit {
 public:
  virtual ~Edit();

  // The body as it is afterwards. An Error (Invalid, or Limit beyond kMostDecoded) says why it stays as it is: not
  // JSON, no such place in it, a test that failed, a pattern that is not there.
  virtual Result<std::string> apply(const Content& content) const = 0;

  // For people: "regex", "json_patch", "merge_patch".
  virtual std::string_view what() const = 0;
};

// What is wrong with an edit as it was written, and where in it ("/json_patch/0/op").
struct Mistake {
  std::string pointer;
  std::string what;
};

// The edit that needs nothing of the old body, {"replace": "text"}, is its caller's. Everything that can be known to be
// wrong without the body is a Mistake.
std::expected<std::shared_ptr<const Edit>, Mistake> read_edit(const nlohmann::ordered_json& json);

}  // namespace waylay::body
