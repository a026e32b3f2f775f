#include "tls/record_lengths.h"

#include <algorithm>

namespace waylay::tls {
namespace {

constexpr uint8_t kChangeCipherSpec = 20, kLastContentType = 24;

}  // namespace

void RecordLengths::add(Bytes bytes) {
  while (!broken_ && !bytes.empty()) {
    size_t skipped = std::min(rest_, bytes.size());
    rest_ -= skipped;
    bytes = bytes.subspan(skipped);
    if (bytes.empty()) return;
    header_[header_size_++] = std::to_integer<uint8_t>(bytes.front());
    bytes = bytes.subspan(1);
    if (header_size_ == header_.size()) header_complete();
  }
}

void RecordLengths::header_complete() {
  header_size_ = 0;
  auto length = static_cast<uint16_t>(header_[3] << 8 | header_[4]);
  bool type = header_[0] >= kChangeCipherSpec && header_[0] <= kLastContentType;
  broken_ = !type || header_[1] != 3 || length > kBounds.back();
  if (broken_) return;
  rest_ = length;
  ++count_;
  if (first_.size() < kFirst) first_.push_back(length);
  ++classes_[static_cast<size_t>(std::ranges::lower_bound(kBounds, length) - kBounds.begin())];
}

}  // namespace waylay::tls
