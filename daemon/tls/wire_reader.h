// Reads the presentation language of RFC 8446 section 3 from borrowed bytes. After the first field that is not there
// the reader has failed: it answers zeros and empty spans, so that a structure is read through and judged once at its
// end.
#pragma once

#include "base/bytes.h"

namespace waylay::tls {

class WireReader {
 public:
  explicit WireReader(Bytes bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  bool failed() const { return failed_; }
  bool finished() const { return !failed_ && rest_.empty(); }

  uint8_t u8() { return static_cast<uint8_t>(number(1)); }
  uint16_t u16() { return static_cast<uint16_t>(number(2)); }
  void skip(size_t n) { take(n); }

  Bytes bytes8() { return take(u8()); }    // a vector with a length of one byte
  Bytes bytes16() { return take(u16()); }  // two bytes
  WireReader vector8() { return nested(bytes8()); }
  WireReader vector16() { return nested(bytes16()); }

 private:
  Bytes take(size_t n) {
    if (n > rest_.size()) failed_ = true;
    if (failed_) {
      rest_ = {};
      return {};
    }
    Bytes taken = rest_.first(n);
    rest_ = rest_.subspan(n);
    return taken;
  }

  unsigned number(size_t n) {
    unsigned value = 0;
    for (std::byte byte : take(n)) value = value << 8 | std::to_integer<unsigned>(byte);
    return value;
  }

  // What is inside a field that is not there is not there either.
  WireReader nested(Bytes bytes) const {
    WireReader reader(bytes);
    reader.failed_ = failed_;
    return reader;
  }

  Bytes rest_;
  bool failed_ = false;
};

}  // namespace waylay::tls
