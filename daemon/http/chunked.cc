#include "http/chunked.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "http/characters.h"
#include "http/message.h"

namespace waylay::http {
namespace {

constexpr size_t kMaximumSizeDigits = 16;

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::string_view without_token(std::string_view text) {
  return text.substr(static_cast<size_t>(std::find_if_not(text.begin(), text.end(), is_token) - text.begin()));
}

// RFC 9110 section 5.6.4, what is behind it; of a string that is not closed, all.
std::string_view without_quoted_string(std::string_view text) {
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') return text.substr(i + 1);
    if (text[i] == '\\') ++i;
  }
  return text;
}

// RFC 9112 section 7.1.1, without the blanks that it calls bad.
bool are_extensions(std::string_view text) {
  while (text.starts_with(';')) {
    std::string_view name = text.substr(1);
    std::string_view rest = without_token(name);
    if (rest.size() == name.size()) return false;
    if (rest.starts_with('=')) {
      std::string_view value = rest.substr(1);
      rest = value.starts_with('"') ? without_quoted_string(value) : without_token(value);
      if (rest.size() == value.size()) return false;
    }
    text = rest;
  }
  return text.empty();
}

int on_body(llhttp_t* parser, const char* at, size_t size) {
  *static_cast<Bytes*>(parser->data) = as_bytes(at, size);
  return HPE_PAUSED;
}

int pause(llhttp_t*) {
  return HPE_PAUSED;
}

const llhttp_settings_t& settings() {
  static const llhttp_settings_t callbacks = [] {
    llhttp_settings_t made;
    llhttp_settings_init(&made);
    made.on_body = on_body;
    made.on_message_complete = pause;
    return made;
  }();
  return callbacks;
}

// A parser that stands in front of the first chunk.
llhttp_t at_first_chunk() {
  constexpr std::string_view kHead = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings());
  llhttp_execute(&parser, kHead.data(), kHead.size());
  return parser;
}

}  // namespace

const char* ChunkLines::framing(Bytes bytes) {
  std::string_view rest = as_text(bytes);
  while (!rest.empty()) {
    if (state_ == State::Payload || state_ == State::Complete) return "chunk framing where none is due";
    size_t feed = rest.find('\n');
    size_t used = feed == std::string_view::npos ? rest.size() : feed + 1;
    if (line_.size() + used > kMaximumChunkLine) return "a chunk's framing line is longer than 8 KiB";
    line_.append(rest.substr(0, used));
    rest.remove_prefix(used);
    if (feed == std::string_view::npos) return nullptr;
    if (const char* refused = line()) return refused;
    line_.clear();
  }
  return nullptr;
}

const char* ChunkLines::line() {
  if (!line_.ends_with("\r\n")) return "a bare line feed in chunk framing";
  line_.resize(line_.size() - 2);
  if (!valid_field_value(line_)) return "a control character in chunk framing";
  if (state_ == State::Size) return size_line();
  if (state_ == State::Trailer) return trailer_line();
  state_ = State::Size;
  return line_.empty() ? nullptr : "chunk data longer than its size";
}

const char* ChunkLines::size_line() {
  size_t digits = static_cast<size_t>(std::find_if_not(line_.begin(), line_.end(), is_hex) - line_.begin());
  if (digits == 0 || digits > kMaximumSizeDigits) return "a malformed chunk size";
  if (!are_extensions(std::string_view(line_).substr(digits))) return "a malformed chunk size";
  std::from_chars(line_.data(), line_.data() + digits, remaining_, 16);
  if (remaining_ > std::numeric_limits<int64_t>::max()) return "a chunk size that most readers cannot count";
  state_ = remaining_ == 0 ? State::Trailer : State::Payload;
  return nullptr;
}

const char* ChunkLines::trailer_line() {
  if (line_.empty()) {
    state_ = State::Complete;
    return nullptr;
  }
  trailer_bytes_ += line_.size();
  if (trailer_bytes_ > kMaximumTrailers || trailers_.size() == kMaximumFields) return "trailers larger than 64 KiB";
  size_t colon = line_.find(':');
  if (colon == std::string::npos) return "a malformed trailer field";
  std::string_view name = std::string_view(line_).substr(0, colon);
  if (!valid_field_name(name)) return "a malformed trailer field";
  // RFC 9110 section 6.5.1: a reader that merges trailers into the head would frame the message anew.
  std::string dashed(name);
  std::replace(dashed.begin(), dashed.end(), '_', '-');
  for (std::string_view framing : {"content-length", "transfer-encoding", "host"})
    if (equals_ignoring_case(dashed, framing)) return "a framing field among the trailers";
  trailers_.emplace_back(name, trim(std::string_view(line_).substr(colon + 1)));
  return nullptr;
}

const char* ChunkLines::payload(uint64_t size) {
  if (state_ != State::Payload || size > remaining_) return "chunk data where none is due";
  remaining_ -= size;
  if (remaining_ == 0) state_ = State::PayloadEnd;
  return nullptr;
}

void ChunkedReader::start(Side side) {
  static const llhttp_t first = at_first_chunk();
  parser_ = first;
  lines_ = ChunkLines();
  side_ = side;
}

Result<ChunkedReader::Piece> ChunkedReader::refuse(const char* reason) const {
  return fail({ErrorKind::Ambiguous, side_, std::string("chunked body: ") + reason, 0});
}

Result<ChunkedReader::Piece> ChunkedReader::read(Bytes input) {
  std::string_view text = as_text(input);
  payload_ = {};
  parser_.data = &payload_;
  llhttp_errno_t code = llhttp_execute(&parser_, text.data(), text.size());
  bool paused = code == HPE_PAUSED;
  size_t used = text.size();
  if (code != HPE_OK) used = static_cast<size_t>(llhttp_get_error_pos(&parser_) - text.data());
  if (paused) llhttp_resume(&parser_);

  // The second reader speaks first: of two errors it is the earlier one, however the bytes were split.
  if (const char* refused = lines_.framing(input.first(used - payload_.size()))) return refuse(refused);
  if (code != HPE_OK && !paused) {
    const char* reason = llhttp_get_error_reason(&parser_);
    return refuse(reason ? reason : "malformed");
  }
  if (!payload_.empty()) {
    if (const char* refused = lines_.payload(payload_.size())) return refuse(refused);
  }
  bool complete = paused && payload_.empty();  // the only other pause is on_message_complete
  if (complete != (lines_.state() == ChunkLines::State::Complete)) return refuse("two readings of its end");
  return Piece{used, payload_, complete};
}

}  // namespace waylay::http
