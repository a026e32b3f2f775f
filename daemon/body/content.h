// A body as rules see it: its Content-Encoding decoded, and as JSON if it is JSON and a rule asks. Owns the text;
// belongs to one exchange, and so to one thread.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "match/json_path.h"
#include "match/subject.h"

namespace waylay::body {

// What is longer is not parsed: a document of small values takes thirty times its text. DynamoDB answers with at most
// 1 MiB.
constexpr size_t kMostJsonBytes = 4 * 1024 * 1024;
// Deeper documents are none to us: every reader of the parsed one recurses.
constexpr int kMostJsonDepth = 200;

class Content {
 public:
  explicit Content(std::string decoded);
  Content(Content&&) noexcept;
  Content& operator=(Content&&) noexcept;
  ~Content();

  std::string_view text() const { return text_; }

  // The document, parsed when first asked for; nullptr where the text is not JSON (RFC 8259), or too much of it.
  const nlohmann::json* json() const;

  // The value at a path, borrowed from the document; absent where there is none, and where it is null.
  match::Value at(const match::JsonPath& path) const;

 private:
  std::string text_;
  mutable std::unique_ptr<nlohmann::json> json_;
  mutable bool parsed_ = false;
};

}  // namespace waylay::body
