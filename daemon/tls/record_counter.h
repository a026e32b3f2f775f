// Counts the whole records in a stream of bytes that comes in any pieces (RFC 8446 section 5.1), and says whether the
// stream stands between two of them. It judges nothing: what is counted has been, or will be, judged elsewhere.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/bytes.h"

namespace waylay::tls {

class RecordCounter {
 public:
  void add(Bytes bytes) {
    while (!bytes.empty()) {
      if (header_size_ < kHeader) {
        length_ = static_cast<uint16_t>(length_ << 8 | std::to_integer<uint16_t>(bytes.front()));  // its last two bytes
        ++header_size_;
        bytes = bytes.subspan(1);
      } else {
        size_t taken = std::min<size_t>(length_, bytes.size());
        length_ = static_cast<uint16_t>(length_ - taken);
        bytes = bytes.subspan(taken);
      }
      if (header_size_ < kHeader || length_ > 0) continue;
      ++whole_;
      header_size_ = 0;
    }
  }

  uint64_t whole() const { return whole_; }
  bool between_records() const { return header_size_ == 0; }

 private:
  static constexpr uint8_t kHeader = 5;
  uint64_t whole_ = 0;
  uint16_t length_ = 0;  // while the header comes, its last two bytes; then what the body still lacks
  uint8_t header_size_ = 0;
};

}  // namespace waylay::tls
