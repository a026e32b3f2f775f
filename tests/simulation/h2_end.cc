#include "simulation/h2_end.h"

#include <algorithm>

#include "base/check.h"
#include "http/h2.h"

namespace waylay::simulation {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr size_t kFrameHeader = 9;
constexpr uint32_t kLargestWindow = 0x7fffffff;
// What one stream's body may be ahead of its reader: the largest window that the flow gives, and what lies in queues
// and on the way (conversation.cc).
constexpr size_t kMostAhead = http::kLargestWindow + 512 * 1024;

// RFC 9113 section 8.2.2.
bool is_of_http1(const Fields::value_type& field) {
  constexpr std::string_view kOnes[] = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"};
  return std::ranges::find(kOnes, field.first) != std::end(kOnes) ||
         (field.first == "te" && field.second != "trailers");
}

uint32_t read_number(std::string_view bytes) {
  uint32_t value = 0;
  for (unsigned char byte : bytes.substr(0, 4)) value = value << 8 | byte;
  return value;
}

}  // namespace

H2End::H2End(Story& story, bool is_client)
    : story_(story),
      chance_(story.chance),
      is_client_(is_client),
      generous_(story.chance.one_in(3)   ? 2'000
                : story.chance.one_in(3) ? 1'000'000
                                         : 60'000) {
  nghttp2_hd_deflater* deflater = nullptr;
  nghttp2_hd_inflater* inflater = nullptr;
  CHECK(nghttp2_hd_deflate_new(&deflater, 4'096) == 0);
  CHECK(nghttp2_hd_inflate_new(&inflater) == 0);
  deflater_.reset(deflater);
  inflater_.reset(inflater);
}

void H2End::wrong(const std::string& what) const {
  story_.wrong(std::string(is_client_ ? "the client" : "an origin") + ": " + what);
}

// --- Saying ---

std::string H2End::say() {
  if (!preface_said_) say_preface();
  for (int i = 0; i < 4 && out_.size() < 20'000 && say_something(); ++i) {
  }
  std::string piece = out_.substr(0, story_.piece(20'000));
  out_.erase(0, piece.size());
  return piece;
}

void H2End::say_preface() {
  preface_said_ = true;
  if (is_client_) out_ += kPreface;
  change_settings();
}

bool H2End::say_something() {
  if (deaf_) return false;
  if (!story_.finishing && chance_.one_in(60) && say_oddity()) return true;
  bool may_break_rules = story_.stormy && !story_.untouched && !story_.finishing;
  if (may_break_rules && chance_.one_in(800) && say_malformed()) return true;
  constexpr size_t kThings = 4;
  size_t first = chance_.below(kThings);
  for (size_t i = 0; i < kThings; ++i) {
    size_t which = (first + i) % kThings;
    bool done = which == 0 ? act() : which == 1 ? say_body() : which == 2 ? give_window() : give_connection_window();
    if (done) return true;
  }
  return false;
}

std::string H2End::number(uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

std::string H2End::header_block(const Fields& fields) {
  std::vector<nghttp2_nv> pairs;
  for (const auto& [name, value] : fields) {
    // The library wants them writable and writes nothing.
    auto bytes = [](const std::string& text) { return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data())); };
    uint8_t flags = chance_.one_in(10) ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
    pairs.push_back({bytes(name), bytes(value), name.size(), value.size(), flags});
  }
  std::string block(nghttp2_hd_deflate_bound(deflater_.get(), pairs.data(), pairs.size()), '\0');
  ssize_t size = nghttp2_hd_deflate_hd(deflater_.get(), reinterpret_cast<uint8_t*>(block.data()), block.size(),
                                       pairs.data(), pairs.size());
  CHECK(size >= 0);
  block.resize(static_cast<size_t>(size));
  return block;
}

// In up to four frames, or in more that are full (nghttp2 takes nine), with or without padding and a priority.
void H2End::say_headers(uint32_t id, const Fields& fields, bool ends) {
  std::string block = header_block(fields);
  std::string_view rest = block;
  size_t pieces = chance_.one_in(5) ? chance_.between(2, 4) : 1;
  auto next = [&] {
    size_t size = pieces > 1 ? chance_.below(rest.size() + 1) : rest.size();
    if (pieces > 1) --pieces;
    std::string_view piece = rest.substr(0, std::min<size_t>(size, 16'000));
    rest.remove_prefix(piece.size());
    return piece;
  };
  uint8_t flags = ends ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE;
  std::string payload;
  bool padded = chance_.one_in(8), with_priority = is_client_ && chance_.one_in(8);
  size_t padding = padded ? chance_.below(200) : 0;
  if (padded) payload += static_cast<char>(padding);
  if (with_priority) payload += number(0) + "\x10";
  payload += next();
  payload.append(padding, '\0');
  flags |= static_cast<uint8_t>((padded ? NGHTTP2_FLAG_PADDED : 0) | (with_priority ? NGHTTP2_FLAG_PRIORITY : 0));
  if (rest.empty()) flags |= NGHTTP2_FLAG_END_HEADERS;
  out_ += h2_frame(NGHTTP2_HEADERS, flags, id, payload);
  while (!rest.empty()) {
    std::string_view piece = next();
    out_ += h2_frame(NGHTTP2_CONTINUATION, rest.empty() ? NGHTTP2_FLAG_END_HEADERS : NGHTTP2_FLAG_NONE, id, piece);
  }
}

H2End::Stream& H2End::open(uint32_t id, size_t exchange) {
  Stream& stream = streams_.emplace_back();
  stream.id = id;
  stream.exchange = exchange;
  stream.window = peer_initial_window_;
  return stream;
}

void H2End::say_head(Stream& stream, const Fields& fields, bool ends) {
  say_headers(stream.id, fields, ends);
  stream.head_said = true;
  stream.ended = ends;
  note_allowed(stream);
}

void H2End::say_reset(Stream& stream, uint32_t code) {
  if (std::exchange(stream.reset, true)) return;
  out_ += h2_frame(NGHTTP2_RST_STREAM, 0, stream.id, number(code));
}

void H2End::say_go_away(uint32_t last, const Farewell& farewell) {
  out_ += h2_frame(NGHTTP2_GOAWAY, 0, 0, number(last) + number(farewell.code) + farewell.debug);
}

bool H2End::can_say(const Stream& stream) const {
  if (!stream.head_said || stream.ended || stream.reset) return false;
  if (stream.cut_after && stream.sent >= *stream.cut_after) return true;
  if (stream.sent == stream.body.size()) return stream.may_end;
  return stream.window > 0 && connection_window_ > 0;
}

bool H2End::say_body() {
  std::vector<Stream*> able;
  for (Stream& stream : streams_)
    if (can_say(stream)) able.push_back(&stream);
  if (able.empty()) return false;
  Stream& stream = *able[chance_.below(able.size())];
  if (stream.cut_after && stream.sent >= *stream.cut_after) {
    say_reset(stream, stream.cut_code);
    on_reset(stream);
  } else if (stream.sent == stream.body.size()) {
    say_end(stream);
  } else {
    say_piece(stream);
  }
  return true;
}

void H2End::say_piece(Stream& stream) {
  auto window = static_cast<size_t>(std::min(stream.window, connection_window_));
  size_t left = std::min(stream.cut_after.value_or(stream.body.size()), stream.body.size()) - stream.sent;
  size_t size = std::min({story_.piece(20'000), left, window, size_t{peer_frame_size_}});
  bool padded = size < 200 && window > size + 1 && chance_.one_in(5);
  size_t padding = padded ? chance_.below(std::min<size_t>(255, window - size)) : 0;
  std::string payload = padded ? std::string(1, static_cast<char>(padding)) : "";
  payload.append(stream.body, stream.sent, size).append(padding, '\0');
  stream.sent += size;
  bool last = stream.sent == stream.body.size() && stream.trailers.empty() && stream.may_end && !stream.cut_after;
  stream.ended = last && chance_.one_in(2);
  auto flags = static_cast<uint8_t>((padded ? NGHTTP2_FLAG_PADDED : 0) | (stream.ended ? NGHTTP2_FLAG_END_STREAM : 0));
  out_ += h2_frame(NGHTTP2_DATA, flags, stream.id, payload);
  stream.window -= static_cast<int64_t>(payload.size());
  connection_window_ -= static_cast<int64_t>(payload.size());
  Progress& progress = said(stream.exchange);
  progress.said += size;
  if (progress.said > most_said(stream))
    wrong("the flow took " + std::to_string(progress.said) + " bytes of a body of " +
          story_.plan[stream.exchange].name + ", of which the other side has " + std::to_string(progress.heard) +
          " and may be sent " + std::to_string(progress.allowed));
}

// A stream's window of the flow is given back for what it has passed on, and is not larger than twice that and what it
// was at first: see H2Session. What is left of a message that is answered already is no more than dropped.
size_t H2End::most_said(const Stream& stream) {
  const PlannedExchange& planned = story_.plan[stream.exchange];
  const Progress& progress = said(stream.exchange);
  size_t most = progress.heard + kMostAhead + story_.most_held();
  if (planned.answers_early || planned.cut != PlannedExchange::Cut::None || story_.may_break()) return most;
  if (progress.allowed == 0) return most;  // the other side may not know of the stream yet
  return std::min(most, 3 * (progress.allowed + story_.most_held()) + http::kStreamWindow);
}

void H2End::say_end(Stream& stream) {
  stream.ended = true;
  if (!stream.trailers.empty()) return say_headers(stream.id, stream.trailers, true);
  out_ += h2_frame(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, stream.id, "");
}

// --- Windows that we give ---

// Bytes that the peer may still send on the stream.
int64_t H2End::room(const Stream& stream) const {
  uint32_t initial = settings_asked_ ? std::max(initial_window_, asked_window_) : initial_window_;
  return static_cast<int64_t>(initial + stream.granted) - static_cast<int64_t>(stream.used);
}

void H2End::note_allowed(const Stream& stream) {
  size_t& allowed = heard(stream.exchange).allowed;
  allowed = std::max(allowed, static_cast<size_t>(room(stream) + static_cast<int64_t>(stream.used)));
}

bool H2End::give_window() {
  std::vector<Stream*> wanting;
  for (Stream& stream : streams_) {
    bool waits = is_slow(story_.plan[stream.exchange]) && !story_.quick_ones_are_over();
    // What the peer surely knows of, while it has not acknowledged another initial window.
    int64_t sure = std::min(initial_window_, asked_window_) + static_cast<int64_t>(stream.granted - stream.used);
    if (!stream.peer_ended && !stream.reset && !waits && sure < static_cast<int64_t>(generous_) / 2)
      wanting.push_back(&stream);
  }
  if (wanting.empty() || (!story_.finishing && chance_.one_in(3))) return false;
  Stream& stream = *wanting[chance_.below(wanting.size())];
  auto size = static_cast<uint32_t>(1 + chance_.below(2 * generous_));
  stream.granted += size;
  note_allowed(stream);
  out_ += h2_frame(NGHTTP2_WINDOW_UPDATE, 0, stream.id, number(size));
  return true;
}

bool H2End::give_connection_window() {
  if (connection_granted_ - connection_heard_ > 4 * generous_) return false;
  auto size = static_cast<uint32_t>(1 + chance_.below(20 * generous_));
  connection_granted_ += size;
  out_ += h2_frame(NGHTTP2_WINDOW_UPDATE, 0, 0, number(size));
  return true;
}

// --- Oddities ---

std::string H2End::setting(uint16_t name, uint32_t value) {
  return number(name).substr(2) + number(value);
}

void H2End::change_settings() {
  constexpr uint32_t kWindows[] = {0, 1, 100, 5'000, 16'384, 65'535, 65'535, 1'000'000};
  constexpr uint32_t kTables[] = {0, 100, 4'096, 65'536};
  if (std::exchange(settings_asked_, true)) return;
  std::string settings;
  if (chance_.one_in(2)) asked_window_ = kWindows[chance_.below(std::size(kWindows))];
  if (asked_window_ != initial_window_) settings += setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, asked_window_);
  if (chance_.one_in(3))
    settings += setting(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, table_size_ = kTables[chance_.below(std::size(kTables))]);
  if (chance_.one_in(4)) settings += setting(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, frame_size_ = 50'000);
  if (chance_.one_in(4)) settings += setting(0x7a7a, 1);  // unknown ones are ignored
  add_settings(settings);
  for (const Stream& stream : streams_)
    if (stream.exchange < story_.plan.size()) note_allowed(stream);
  out_ += h2_frame(NGHTTP2_SETTINGS, 0, 0, settings);
}

bool H2End::say_oddity() {
  switch (chance_.below(5)) {
    case 0:
      if (pings_.size() > 3) return false;
      pings_.push_back(pattern(std::to_string(chance_.next()), 'p', 8));
      out_ += h2_frame(NGHTTP2_PING, 0, 0, pings_.back());
      return true;
    case 1:
      if (is_client_)
        out_ += h2_frame(NGHTTP2_PRIORITY, 0, static_cast<uint32_t>(2 * chance_.below(50) + 1), number(0) + "x");
      return is_client_;
    case 2:
      out_ += h2_frame(static_cast<uint8_t>(0xb0 + chance_.below(16)), static_cast<uint8_t>(chance_.below(256)),
                       static_cast<uint32_t>(chance_.below(100)), pattern("odd", 'o', chance_.below(2'000)));
      return true;
    case 3:
      if (is_client_ && chance_.one_in(2))
        out_ += h2_frame(0x10, 0, 0, number(1) + "u=3");  // PRIORITY_UPDATE (RFC 9218)
      return true;
    default:
      if (settings_asked_) return false;
      change_settings();
      return true;
  }
}

// Against the rules of HTTP/2, or of HTTP: the flow may end the stream or the connection, and has to be fine otherwise.
bool H2End::say_malformed() {
  uint32_t id = streams_.empty() ? 1 : streams_.back().id;
  const std::string too_much_for_all = h2_frame(NGHTTP2_WINDOW_UPDATE, 0, 0, number(kLargestWindow));
  const std::string too_much = h2_frame(NGHTTP2_WINDOW_UPDATE, 0, id, number(kLargestWindow));
  const std::string frames[] = {
      h2_frame(NGHTTP2_DATA, 0, 0, "x"),
      h2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, id + 1, "\x82"),
      h2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, id, std::string(20, '\xff')),
      h2_frame(NGHTTP2_WINDOW_UPDATE, 0, 0, number(0)),
      h2_frame(NGHTTP2_WINDOW_UPDATE, 0, id, number(0)),
      too_much_for_all,
      too_much,
      h2_frame(NGHTTP2_SETTINGS, 0, 0, "12345"),
      h2_frame(NGHTTP2_SETTINGS, 0, 0, setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0x80000000)),
      h2_frame(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, id, ""),
      h2_frame(NGHTTP2_PUSH_PROMISE, NGHTTP2_FLAG_END_HEADERS, id, number(2) + "\x82"),
      h2_frame(NGHTTP2_PING, 0, 0, "short"),
      h2_frame(NGHTTP2_GOAWAY, 0, 0, "short"),
      h2_frame(NGHTTP2_DATA, 0, id, std::string(20'000, 'x')),
      h2_frame(NGHTTP2_RST_STREAM, 0, id + 1'000'000, number(0)),
      pattern(std::to_string(chance_.next()), 'm', 100),
  };
  std::string chosen = chance_.one_in(3) ? own_malformed() : frames[chance_.below(std::size(frames))];
  if (chosen.empty()) return false;
  story_.troubled = true;
  if (chosen == too_much_for_all) connection_granted_ += kLargestWindow;
  if (chosen == too_much) too_much_given(id);
  out_ += chosen;
  return true;
}

// Where nothing was left of the window that is allowed, and the flow may use it.
void H2End::too_much_given(uint32_t id) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  stream->granted += kLargestWindow;
  if (stream->exchange < story_.plan.size()) note_allowed(*stream);
}

// --- Hearing ---

void H2End::hear(std::string_view text) {
  if (!preface_said_) say_preface();
  in_.append(text);
  if (!is_client_ && !preface_heard_) {
    if (in_.size() < kPreface.size()) return;
    if (!in_.starts_with(kPreface)) return wrong("it got another preface");
    in_.erase(0, kPreface.size());
  }
  preface_heard_ = true;
  while (!deaf_) {
    size_t size = take_frame();
    if (size == 0) break;
    in_.erase(0, size);
  }
  forget_closed();
}

size_t H2End::take_frame() {
  if (in_.size() < kFrameHeader) return 0;
  std::string_view all = in_;
  size_t length = read_number(all) >> 8;
  auto type = static_cast<uint8_t>(all[3]), flags = static_cast<uint8_t>(all[4]);
  // What a rule writes behind the last frame to break it is a part of what rules do.
  if (length > frame_size_ && story_.rules_break()) deaf_ = true;
  if (deaf_) return 0;
  if (length > frame_size_) wrong("a frame of " + std::to_string(length) + " bytes");
  if (all.size() < kFrameHeader + length) return 0;
  on_frame(type, flags, read_number(all.substr(5)), all.substr(kFrameHeader, length));
  return kFrameHeader + length;
}

void H2End::on_frame(uint8_t type, uint8_t flags, uint32_t id, std::string_view payload) {
  if (!settings_heard_ && type != NGHTTP2_SETTINGS) wrong("the first frame is no SETTINGS");
  if (block_of_ != 0 && (type != NGHTTP2_CONTINUATION || id != block_of_)) wrong("a frame within a header block");
  switch (type) {
    case NGHTTP2_DATA:
      return on_data(flags, id, payload);
    case NGHTTP2_HEADERS:
      block_ = without_padding(flags, payload);
      if ((flags & NGHTTP2_FLAG_PRIORITY) != 0) block_.erase(0, 5);
      block_of_ = id;
      block_flags_ = flags;
      if ((flags & NGHTTP2_FLAG_END_HEADERS) != 0) on_header_block(block_flags_, id);
      return;
    case NGHTTP2_CONTINUATION:
      if (block_of_ == 0) wrong("CONTINUATION of nothing");
      block_ += payload;
      if ((flags & NGHTTP2_FLAG_END_HEADERS) != 0) on_header_block(block_flags_, id);
      return;
    case NGHTTP2_RST_STREAM: {
      Stream* stream = find(id);
      if (stream == nullptr || stream->reset) return;
      stream->reset = true;
      stream->peer_code = read_number(payload);
      return on_reset(*stream);
    }
    case NGHTTP2_SETTINGS:
      return on_settings(flags, payload);
    case NGHTTP2_PING:
      return on_ping(flags, payload);
    case NGHTTP2_GOAWAY:
      peer_leaves_ = true;
      return on_go_away(read_number(payload) & 0x7fffffff,
                        {read_number(payload.substr(4)), std::string(payload.substr(8))});
    case NGHTTP2_WINDOW_UPDATE:
      return on_window_update(id, payload);
    case NGHTTP2_PUSH_PROMISE:
      wrong("the flow pushes");
    default:
      return;
  }
}

std::string_view H2End::without_padding(uint8_t flags, std::string_view payload) const {
  if ((flags & NGHTTP2_FLAG_PADDED) == 0) return payload;
  size_t padding = static_cast<unsigned char>(payload.at(0));
  if (padding >= payload.size()) wrong("padding only");
  return payload.substr(1, payload.size() - 1 - padding);
}

void H2End::on_data(uint8_t flags, uint32_t id, std::string_view payload) {
  connection_heard_ += payload.size();
  if (connection_heard_ > connection_granted_) wrong("more DATA than the connection's window");
  Stream* stream = find(id);
  if (stream == nullptr) return;  // reset, and forgotten
  if (stream->peer_ended || (stream->reset && stream->peer_code)) wrong("DATA behind a stream's end");
  bool fits = payload.empty() || static_cast<int64_t>(payload.size()) <= room(*stream);  // RFC 9113 section 6.9.1
  if (!fits) wrong("more DATA than the stream's window");
  std::string_view content = without_padding(flags, payload);
  if (stream->reset) return;
  if (!stream->head_heard) wrong("DATA before HEADERS");
  if (stream->is_planned && stream->expected.compare(stream->heard, content.size(), content) != 0)
    wrong("another body of " + story_.plan[stream->exchange].name + " at " + std::to_string(stream->heard));
  stream->used += payload.size();
  stream->heard += content.size();
  heard(stream->exchange).heard += content.size();
  if ((flags & NGHTTP2_FLAG_END_STREAM) == 0) return;
  stream->peer_ended = true;
  on_end(*stream);
}

void H2End::on_header_block(uint8_t flags, uint32_t id) {
  block_of_ = 0;
  Fields fields = inflate(block_);
  if (!story_.untouched && std::ranges::any_of(fields, is_of_http1)) wrong("a field that speaks of HTTP/1");
  Stream* stream = find(id);
  if (stream == nullptr) stream = begun_by_peer(id);
  if (stream == nullptr || (stream->reset && !stream->peer_code)) return;
  if (stream->peer_ended || stream->reset) wrong("HEADERS behind a stream's end");
  bool ends = (flags & NGHTTP2_FLAG_END_STREAM) != 0;
  bool informational = is_client_ && !fields.empty() && fields[0].first == ":status" && fields[0].second[0] == '1';
  if (informational) {
    if (ends || stream->head_heard) wrong("an informational answer at the wrong time");
    return on_informational(*stream, fields);
  }
  if (stream->head_heard) {
    if (!ends) wrong("two heads of one stream");
    stream->peer_trailers = std::move(fields);
  } else {
    stream->head_heard = true;
    stream->head = std::move(fields);
    on_head(*stream);
    note_allowed(*stream);
  }
  if (!ends) return;
  stream->peer_ended = true;
  on_end(*stream);
}

Fields H2End::inflate(std::string_view block) {
  Fields fields;
  auto* at = reinterpret_cast<const uint8_t*>(block.data());
  size_t left = block.size();
  for (;;) {
    nghttp2_nv field;
    int flags = 0;
    ssize_t taken = nghttp2_hd_inflate_hd2(inflater_.get(), &field, &flags, at, left, 1);
    if (taken < 0) wrong("a header block that cannot be read");
    at += taken;
    left -= static_cast<size_t>(taken);
    auto text = [](const uint8_t* bytes, size_t size) {
      return std::string(reinterpret_cast<const char*>(bytes), size);
    };
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0)
      fields.emplace_back(text(field.name, field.namelen), text(field.value, field.valuelen));
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0 && left == 0) break;
  }
  nghttp2_hd_inflate_end_headers(inflater_.get());
  return fields;
}

void H2End::on_settings(uint8_t flags, std::string_view payload) {
  if ((flags & NGHTTP2_FLAG_ACK) != 0) {
    if (!std::exchange(settings_asked_, false)) wrong("SETTINGS are acknowledged that nobody sent");
    initial_window_ = asked_window_;
    CHECK(nghttp2_hd_inflate_change_table_size(inflater_.get(), table_size_) == 0);
    return;
  }
  settings_heard_ = true;
  for (; payload.size() >= 6; payload.remove_prefix(6)) {
    auto name = static_cast<uint16_t>(read_number(payload) >> 16);
    apply_setting(name, read_number(payload.substr(2)));
  }
  out_ += h2_frame(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, "");
}

void H2End::apply_setting(uint16_t name, uint32_t value) {
  peer_settings_[name] = value;
  if (name == NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE) {
    for (Stream& stream : streams_) stream.window += int64_t{value} - int64_t{peer_initial_window_};
    peer_initial_window_ = value;
  }
  if (name == NGHTTP2_SETTINGS_MAX_FRAME_SIZE) peer_frame_size_ = value;
  if (name == NGHTTP2_SETTINGS_HEADER_TABLE_SIZE) nghttp2_hd_deflate_change_table_size(deflater_.get(), value);
}

void H2End::on_ping(uint8_t flags, std::string_view payload) {
  if ((flags & NGHTTP2_FLAG_ACK) == 0) {
    out_ += h2_frame(NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, payload);
    return;
  }
  if (pings_.empty() || pings_.front() != payload) wrong("a PING is answered that nobody sent");
  pings_.pop_front();
}

void H2End::on_window_update(uint32_t id, std::string_view payload) {
  int64_t size = read_number(payload) & 0x7fffffff;
  if (size == 0) wrong("WINDOW_UPDATE of nothing");
  Stream* stream = id == 0 ? nullptr : find(id);
  if (id != 0 && stream == nullptr) return;
  int64_t& window = id == 0 ? connection_window_ : stream->window;
  window += size;
  if (window > kLargestWindow) wrong("a window above 2^31-1");
}

// --- Streams ---

H2End::Stream* H2End::find(uint32_t id) {
  auto found = std::ranges::find(streams_, id, &Stream::id);
  return found == streams_.end() ? nullptr : &*found;
}

size_t H2End::open_streams() const {
  return static_cast<size_t>(std::ranges::count_if(streams_, [](const Stream& stream) { return !stream.over(); }));
}

std::map<size_t, OpenStream> H2End::open_exchanges() const {
  std::map<size_t, OpenStream> all;
  for (const Stream& stream : streams_) {
    if (stream.over()) continue;
    bool waits = stream.head_said && !stream.ended && stream.sent < stream.body.size();
    all[stream.exchange] = {waits, stream.peer_ended, !stream.peer_ended && room(stream) > 0};
  }
  return all;
}

std::string H2End::describe_streams() const {
  std::string out;
  for (const Stream& stream : streams_) {
    if (stream.over()) continue;
    out += "\n    " + std::to_string(stream.id) + " " + story_.plan[stream.exchange].name + ": said " +
           std::to_string(stream.sent) + "/" + std::to_string(stream.body.size()) + (stream.ended ? " ended" : "") +
           ", window " + std::to_string(stream.window) + "; heard " + std::to_string(stream.heard) + "/" +
           std::to_string(stream.expected.size()) + (stream.peer_ended ? " ended" : "") + ", room " +
           std::to_string(room(stream));
  }
  return out;
}

// A stream that we have reset stays for a while: what the peer had sent before it knew still comes.
void H2End::forget_closed() {
  constexpr size_t kKept = 200;
  for (auto stream = streams_.begin(); stream != streams_.end() && streams_.size() > kKept;)
    stream = stream->over() ? streams_.erase(stream) : std::next(stream);
}

}  // namespace waylay::simulation
