// Finds where a head ends, in bytes that arrive in any pieces, without looking at a byte twice. Refuses at the earliest
// byte what cannot become a head, so that a peer who does not speak HTTP is noticed before it has sent 256 KiB.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "http/message.h"

namespace waylay::http {

class HeadScanner {
 public:
  HeadScanner(Kind kind, Side side) : kind_(kind), side_(side) {}

  // How many of these bytes belong to the head, when it ends among them. After that, and after an error: reset().
  Result<std::optional<size_t>> scan(Bytes bytes);
  void reset() { *this = HeadScanner(kind_, side_); }

 private:
  static constexpr size_t kMaximumMethod = 64;  // the longest registered one has 17 letters
  Result<void> check_start(std::string_view piece);
  std::unexpected<Error> malformed(std::string_view message) const;

  Kind kind_;
  Side side_;
  size_t seen_ = 0;        // of the head, before this piece
  size_t line_size_ = 0;   // of the line begun, before this piece
  bool after_cr_ = false;  // the last byte seen was a CR
  bool started_ = false;   // the first word of the start line was checked
  bool first_line_ = true;
};

}  // namespace waylay::http
