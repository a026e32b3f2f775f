#include "http/h2_frames.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>

namespace waylay::http {
namespace {

bool is_control(uint8_t type) {
  return type != NGHTTP2_DATA && type != NGHTTP2_HEADERS && type != NGHTTP2_CONTINUATION && type != NGHTTP2_RST_STREAM;
}

}  // namespace

std::optional<H2FrameWatch::Violation> H2FrameWatch::look(Bytes bytes, Time now) {
  size_t at = 0, frame = 0;
  while (at < bytes.size()) {
    size_t left = bytes.size() - at;
    if (size_t passed = std::min(left, preface_ > 0 ? preface_ : payload_); passed > 0) {
      (preface_ > 0 ? preface_ : payload_) -= passed;
      at += passed;
      continue;
    }
    if (have_ == 0) frame = at;
    size_t taken = std::min(left, needed() - have_);
    std::memcpy(header_.data() + have_, bytes.data() + at, taken);
    have_ += taken;
    at += taken;
    if (have_ < needed()) continue;
    if (std::optional<Fault> fault = judge(now)) return Violation{frame, fault->code, fault->what};
    payload_ = length() + kHeader - have_;
    have_ = 0;
  }
  return std::nullopt;
}

size_t H2FrameWatch::needed() const {
  bool priority = have_ >= kHeader && of_client_ && type() == NGHTTP2_PRIORITY && length() == 5;
  return priority ? kHeader + 4 : kHeader;
}

std::optional<H2FrameWatch::Fault> H2FrameWatch::judge(Time now) {
  bool empty_data = type() == NGHTTP2_DATA && length() == 0 && (flags() & NGHTTP2_FLAG_END_STREAM) == 0;
  if ((is_control(type()) || empty_data) && !guard_.control_frame(now))
    return Fault{H2Code::EnhanceYourCalm, "too many frames that carry nothing"};
  return of_client_ ? judge_order() : std::nullopt;
}

std::optional<H2FrameWatch::Fault> H2FrameWatch::judge_order() {
  bool ends = (flags() & NGHTTP2_FLAG_END_STREAM) != 0;
  switch (type()) {
    case NGHTTP2_HEADERS:
      if (std::optional<Fault> fault = judge_headers()) return fault;
      if (ends) end_stream();
      return std::nullopt;
    case NGHTTP2_DATA:
      if (stream() <= highest_ && stream() % 2 == 1 && !is_open())
        return Fault{H2Code::StreamClosed, "DATA behind a stream's end"};
      if (ends) end_stream();
      return std::nullopt;
    case NGHTTP2_RST_STREAM:
      if (stream() <= highest_) end_stream();
      return std::nullopt;
    case NGHTTP2_PRIORITY:
      if (stream() == 0) return Fault{H2Code::ProtocolError, "PRIORITY of no stream"};
      if (have_ > kHeader && (word(kHeader) & 0x7fffffff) == stream())
        return Fault{H2Code::ProtocolError, "PRIORITY of a stream that depends on itself"};
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

// RFC 9113 section 5.1.1: numbers rise. One that was passed over is closed without having been open.
std::optional<H2FrameWatch::Fault> H2FrameWatch::judge_headers() {
  if (stream() % 2 == 0 || is_open()) return std::nullopt;  // an even one is refused by nghttp2
  if (stream() > highest_) {
    highest_ = stream();
    if (open_.size() >= kMostOpen) open_.erase(open_.begin());
    open_.push_back(stream());
    return std::nullopt;
  }
  bool was_open = std::find(closed_.begin(), closed_.end(), stream()) != closed_.end();
  if (was_open) return Fault{H2Code::StreamClosed, "HEADERS behind a stream's end"};
  return Fault{H2Code::ProtocolError, "HEADERS of a stream below the last one"};
}

bool H2FrameWatch::is_open() const {
  return std::find(open_.rbegin(), open_.rend(), stream()) != open_.rend();
}

void H2FrameWatch::end_stream() {
  if (auto found = std::find(open_.begin(), open_.end(), stream()); found != open_.end()) open_.erase(found);
  closed_[next_closed_++ % closed_.size()] = stream();
}

size_t H2FrameWatch::length() const {
  return size_t{header_[0]} << 16 | size_t{header_[1]} << 8 | header_[2];
}

uint32_t H2FrameWatch::word(size_t at) const {
  return uint32_t{header_[at]} << 24 | uint32_t{header_[at + 1]} << 16 | uint32_t{header_[at + 2]} << 8 |
         header_[at + 3];
}

std::optional<H2Settings> peek_settings(Bytes first) {
  constexpr size_t kHeader = 9, kEntry = 6;
  const uint8_t* at = as_u8(first);
  if (first.size() < kHeader || at[3] != NGHTTP2_SETTINGS || at[4] != 0) return std::nullopt;
  size_t length = size_t{at[0]} << 16 | size_t{at[1]} << 8 | at[2];
  if (length % kEntry != 0 || first.size() < kHeader + length) return std::nullopt;
  H2Settings settings;
  for (const uint8_t* entry = at + kHeader; entry < at + kHeader + length; entry += kEntry) {
    unsigned id = entry[0] << 8 | entry[1];
    uint32_t value = uint32_t{entry[2]} << 24 | uint32_t{entry[3]} << 16 | uint32_t{entry[4]} << 8 | entry[5];
    if (id == NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) settings.extended_connect = value == 1;
    if (id == NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS) settings.maximum_streams = std::min(value, kMaximumStreams);
  }
  return settings;
}

}  // namespace waylay::http
