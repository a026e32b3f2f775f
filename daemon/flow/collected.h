// What becomes of a body that an exchange has collected for its rules.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "body/content.h"
#include "http/message.h"
#include "rules/plan.h"

namespace waylay::flow {

using Notes = std::vector<std::string>;

// As rules see it; nullptr where its coding cannot be undone, which `notes` then says.
std::unique_ptr<body::Content> decoded(const http::Head& head, std::string_view body, Notes& notes);

// The edits that rules want of one body, in the order of `plans` (null ones want nothing).
class BodyEditor {
 public:
  enum class Of : uint8_t { Request, Response };
  BodyEditor(Of message, std::span<rules::Plan* const> plans);

  bool empty() const { return edits_.empty(); }

  // The body as it is to be sent instead of `sent`, with `head` and `trailers` saying so (but for its framing); nothing
  // if no edit could be made. `content` is what decoded() answered. Why one could not be made is said in `notes`.
  std::optional<std::string> edit(http::Head& head, http::Trailers& trailers, const body::Content* content,
                                  std::string_view sent, Notes& notes) const;

 private:
  struct Wanted {
    const rules::BodyEdit* edit;
    const std::string* rule;
  };
  std::vector<Wanted> edits_;
};

}  // namespace waylay::flow
