#include "http/head_scanner.h"

#include <algorithm>

#include "http/characters.h"

namespace waylay::http {

std::unexpected<Error> HeadScanner::malformed(std::string_view message) const {
  std::string whose = kind_ == Kind::Request ? "request: " : "response: ";
  return fail({ErrorKind::Protocol, side_, whose.append(message), 0});
}

Result<std::optional<size_t>> HeadScanner::scan(Bytes bytes) {
  std::string_view piece = as_text(bytes);
  size_t room = kMaximumHead - seen_;
  bool too_large = piece.size() > room;
  if (too_large) piece = piece.substr(0, room);
  if (Result<void> start = check_start(piece); !start) return fail(start);

  size_t line_begin = 0;
  for (size_t feed; (feed = piece.find('\n', line_begin)) != std::string_view::npos; line_begin = feed + 1) {
    bool cr_before = feed > 0 ? piece[feed - 1] == '\r' : after_cr_;
    if (!cr_before) return malformed("a bare line feed in the head");
    size_t line_size = line_size_ + feed - line_begin;  // with its CR
    line_size_ = 0;
    if (line_size == 1) {
      if (first_line_) return malformed("an empty line where the start line should be");
      return feed + 1;
    }
    first_line_ = false;
  }
  if (too_large) return fail({ErrorKind::Limit, side_, "the head is larger than 256 KiB", 0});
  line_size_ += piece.size() - line_begin;
  seen_ += piece.size();
  if (!piece.empty()) after_cr_ = piece.back() == '\r';
  return std::nullopt;
}

// The start line's first word: a method and a blank, or "HTTP/1.".
Result<void> HeadScanner::check_start(std::string_view piece) {
  constexpr std::string_view kVersion = "HTTP/1.";
  for (size_t i = 0; i < piece.size() && !started_; ++i) {
    size_t position = seen_ + i;
    if (kind_ == Kind::Response) {
      if (piece[i] != kVersion[position]) return malformed("does not begin with HTTP/1");
      started_ = position + 1 == kVersion.size();
    } else if (piece[i] == ' ' && position > 0) {
      started_ = true;
    } else if (!is_token(piece[i]) || position == kMaximumMethod) {
      return malformed("does not begin with a method");
    }
  }
  return {};
}

}  // namespace waylay::http
