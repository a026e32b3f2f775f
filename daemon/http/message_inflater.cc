#include "http/message_inflater.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

namespace waylay::http {
namespace {

constexpr size_t kWindow = 32 * 1024;
constexpr size_t kBlock = 16 * 1024;
constexpr std::string_view kTail("\0\0\xff\xff", 4);  // section 7.2.2: an empty block without compression

}  // namespace

struct MessageInflater::Stream {
  z_stream z{};
};

// Always the largest window: with a smaller one zlib refuses what refers too far back only where that is no longer in
// the buffer that it was given, so that the pieces in which a message arrives would decide.
MessageInflater::MessageInflater(const MessageDeflate& deflate)
    : deflate_(deflate), stream_(std::make_unique<Stream>()) {
  if (inflateInit2(&stream_->z, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
}

MessageInflater::~MessageInflater() {
  inflateEnd(&stream_->z);
}

bool MessageInflater::inflate(std::string_view coded, std::string& content, size_t most) {
  if (!failure_.empty()) return false;
  stream_->z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(coded.data()));  // zlib reads it only
  stream_->z.avail_in = static_cast<uInt>(coded.size());
  taken_ += coded.size();
  return run(content, most);
}

bool MessageInflater::run(std::string& content, size_t most) {
  std::array<char, kBlock> block;
  for (;;) {
    stream_->z.next_out = reinterpret_cast<Bytef*>(block.data());
    stream_->z.avail_out = kBlock;
    int status = ::inflate(&stream_->z, Z_SYNC_FLUSH);
    size_t size = kBlock - stream_->z.avail_out;
    content.append(block.data(), std::min(size, most - std::min(most, content.size())));
    if (!count(size)) return false;
    if (status == Z_STREAM_END && !restart()) return false;
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
      return fail("a compressed message cannot be inflated");
    bool is_all_out = stream_->z.avail_out > 0 && stream_->z.avail_in == 0;
    if (is_all_out || status == Z_BUF_ERROR) return true;
  }
}

bool MessageInflater::count(size_t size) {
  message_size_ += size;
  made_ += size;
  bool is_bomb = message_size_ > kMostInflated || made_ > kMostInflated + kMostRatio * taken_;
  return !is_bomb || fail("messages inflate to more than is read of them");
}

// Section 7.2.3.5: a block may say that it is the last one, and still what follows refers to what was before it. Each
// time costs a copy of the window, so that more than once in a message would be an attack.
bool MessageInflater::restart() {
  if (std::exchange(restarted_, true)) return fail("a compressed message ends more than once");
  std::array<Bytef, kWindow> window;
  uInt size = window.size();
  inflateGetDictionary(&stream_->z, window.data(), &size);
  inflateReset(&stream_->z);
  if (size > 0) inflateSetDictionary(&stream_->z, window.data(), size);
  return true;
}

bool MessageInflater::end_message(std::string& content, size_t most) {
  return inflate(kTail, content, most);
}

void MessageInflater::next_message() {
  message_size_ = 0;
  restarted_ = false;
  if (!deflate_.takes_over_context) inflateReset(&stream_->z);
}

bool MessageInflater::fail(std::string_view why) {
  failure_ = why;
  return false;
}

}  // namespace waylay::http
