// The body of one message, whole: whether rules may have it, what it decodes to, and how it goes on after an edit.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "body/coding.h"
#include "body/content.h"
#include "body/edit.h"

namespace waylay::body {

// Why nobody should wait for the end of this body: it is a stream of events, or gRPC. "": it may be collected.
std::string_view why_not_collected(const http::Head& head);

// Why this body must stay as it is, although it can be read: a part of a representation (206), signed chunk by chunk.
std::string_view why_not_edited(const http::Head& head);

// What comes out of Content-Encoding and aws-chunked. An Error says why it cannot be read.
Result<Content> read_content(const http::Head& head, std::string_view sent);

// The body as it is to be sent instead of `sent`: `content` in the codings that `head` names, whose fields then say
// the same of it as they did of `sent`. What was not collected is not given.
std::string put_content(http::Head& head, http::Trailers& trailers, std::string_view content,
                        std::optional<std::string_view> sent);

}  // namespace waylay::body
