// The lengths of the TLS records in one direction of a connection that is not decrypted: what a later look at it has
// instead of the content. Reads record headers (RFC 8446 section 5.1) from bytes that arrive in any pieces; bounded.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace waylay::tls {

class RecordLengths {
 public:
  static constexpr size_t kFirst = 32;  // a handshake and the beginning of the conversation
  // Upper bounds of the classes of length, content and its protection; the last one holds every record there can be.
  static constexpr std::array<uint16_t, 10> kBounds = {32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16640};

  void add(Bytes bytes);

  bool is_tls() const { return !broken_ && count_ > 0; }
  uint64_t count() const { return count_; }                      // of records that have begun
  const std::vector<uint16_t>& first() const { return first_; }  // in order
  const std::array<uint64_t, kBounds.size()>& classes() const { return classes_; }

 private:
  void header_complete();

  std::array<uint8_t, 5> header_{};
  size_t header_size_ = 0;
  size_t rest_ = 0;      // of the record begun
  bool broken_ = false;  // not TLS, or no longer
  uint64_t count_ = 0;
  std::vector<uint16_t> first_;
  std::array<uint64_t, kBounds.size()> classes_{};
};

}  // namespace waylay::tls
