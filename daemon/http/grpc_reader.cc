#include "http/grpc_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/base64.h"

namespace waylay::http {
namespace {

constexpr uint8_t kCompressed = 0x01, kTrailers = 0x80;

}  // namespace

void GrpcReader::put(Bytes bytes) {
  is_base64_ ? put_base64(bytes) : read(bytes);
}

void GrpcReader::read(Bytes bytes) {
  while (!bytes.empty() && failure_.empty()) {
    if (left_ > 0) {
      size_t size = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
      left_ -= size;
      bytes = bytes.subspan(size);
      continue;
    }
    head_[head_size_++] = std::to_integer<uint8_t>(bytes.front());
    bytes = bytes.subspan(1);
    if (head_size_ == sizeof head_) begin_message();
  }
}

void GrpcReader::begin_message() {
  head_size_ = 0;
  if ((head_[0] & ~(kCompressed | kTrailers)) != 0) {
    failure_ = "a message has flags that are not known";
    return;
  }
  left_ = uint64_t{head_[1]} << 24 | uint64_t{head_[2]} << 16 | uint64_t{head_[3]} << 8 | head_[4];
  if ((head_[0] & kTrailers) != 0) return;
  ++messages_;
  payload_ += left_;
}

void GrpcReader::put_base64(Bytes bytes) {
  std::array<char, 1024> block;
  size_t size = 0;
  auto flush = [&] { read(as_bytes(block.data(), std::exchange(size, 0))); };
  for (char c : as_text(bytes)) {
    int digit = base64_digit(c);
    if (c == '=') {
      bits_ = 0;
      bit_count_ = 0;
      continue;
    }
    if (digit < 0) {
      flush();
      failure_ = "what should be base64 is not";
      return;
    }
    bits_ = bits_ << 6 | static_cast<uint32_t>(digit);
    bit_count_ += 6;
    if (bit_count_ < 8) continue;
    bit_count_ -= 8;
    block[size++] = static_cast<char>(bits_ >> bit_count_ & 0xff);
    if (size == block.size()) flush();
  }
  flush();
}

}  // namespace waylay::http
