// One layer of a content coding each way, for coding.cc. Decoding stops at `most` bytes of output with a Limit; input
// that is no such coding, ends too early or goes on behind its end is a Protocol error.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace waylay::body {

Result<std::string> gunzip(std::string_view coded, size_t most);   // one member after another
Result<std::string> inflate(std::string_view coded, size_t most);  // with zlib's wrapper, or without
Result<std::string> decode_brotli(std::string_view coded, size_t most);
Result<std::string> decode_zstd(std::string_view coded, size_t most);  // one frame after another

std::string gzip(std::string_view content);
std::string deflate(std::string_view content);
std::string encode_brotli(std::string_view content);
std::string encode_zstd(std::string_view content);

Error larger_than(size_t most);
Error not_coded(std::string_view coding, std::string_view why);

// Where decoded bytes go: makes room in steps, and no more than `most` and a byte by which an excess is seen.
class Output {
 public:
  explicit Output(size_t most) : most_(most) {}

  // Room for at least one byte, borrowed until the next call.
  char* room();
  size_t room_size() const { return text_.size() - used_; }
  void wrote(size_t bytes) { used_ += bytes; }
  bool too_large() const { return used_ > most_; }
  std::string take() &&;

 private:
  std::string text_;
  size_t used_ = 0, most_;
};

}  // namespace waylay::body
