#include "http/h2.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>

#include "base/check.h"
#include "base/handle.h"
#include "http/h2_frames.h"
#include "http/h2_nv.h"

namespace waylay::http {
namespace {

using Callbacks = Handle<nghttp2_session_callbacks, nghttp2_session_callbacks_del>;
using Options = Handle<nghttp2_option, nghttp2_option_del>;

// A list above kMaximumHeaderList is answered with 431; one that goes on beyond this is an attack.
constexpr size_t kHeaderListAttack = 2 * kMaximumHeaderList;
// A header block of at most 9 frames: 144 KiB as long as the frame size is 16 KiB, which we leave as it is.
constexpr size_t kMaximumContinuations = 8;
// Of the peer's side everything is bounded above, and rules add what their author wants: nghttp2's own limit for what
// we send, 64 KiB, is put out of the way. It drops a longer head without a word to anybody.
constexpr size_t kMaximumSentHeaders = 1024 * 1024;
// nghttp2's own for answers to PING and SETTINGS that wait to be sent; we stop receiving long before, see
// queued_frames.
constexpr size_t kMaximumAcknowledgements = 10'000;
constexpr int kStop = NGHTTP2_ERR_CALLBACK_FAILURE;  // what a callback says to end nghttp2_session_mem_recv at once

}  // namespace

std::string_view to_string(H2Code code) {
  return nghttp2_http2_strerror(static_cast<uint32_t>(code));
}

struct H2Session::Impl {
  Impl(Handler& owner, bool is_server, uint32_t window);

  // nghttp2's callbacks, in the order of their first use.
  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                    const uint8_t* value, size_t value_size, uint8_t flags, void* user);
  static int invalid_header(nghttp2_session*, const nghttp2_frame*, const uint8_t*, size_t, const uint8_t*, size_t,
                            uint8_t, void*) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // refused like any other malformed field, never ignored
  }
  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int data(nghttp2_session*, uint8_t flags, int32_t id, const uint8_t* bytes, size_t size, void* user);
  static int stream_closed(nghttp2_session*, int32_t id, uint32_t code, void* user);
  static int frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int send_data(nghttp2_session*, nghttp2_frame* frame, const uint8_t* header, size_t size,
                       nghttp2_data_source* source, void* user);
  static int explain(nghttp2_session*, int code, const char* text, size_t size, void* user);
  static ssize_t read_body(nghttp2_session*, int32_t id, uint8_t*, size_t room, uint32_t* flags,
                           nghttp2_data_source* source, void* user);
  static const nghttp2_session_callbacks* callbacks();
  static const nghttp2_option* options();
  std::vector<nghttp2_settings_entry> first_settings(const H2Settings& mirrored) const;

  H2Stream* stream_of(int32_t id) const {
    return static_cast<H2Stream*>(nghttp2_session_get_stream_user_data(session.get(), id));
  }
  H2Stream& open(int32_t id);
  void forget(H2Stream& stream);
  int headers_received(const nghttp2_frame& frame);
  int head_received(H2Stream& stream, bool ends);
  int trailers_received(H2Stream& stream);
  void ended_by_peer(H2Stream* stream, const Trailers* trailers);
  int refuse(H2Stream& stream, std::string why);
  void refuse_large(H2Stream& stream);
  int flooded(std::string_view what);
  void reset_forced();
  void fail_session(H2Code code, std::string why);
  void fail_session_by(int code);
  void resume(H2Stream& stream);
  void stream_frame_sent(H2Stream& stream, const nghttp2_frame_hd& header);
  void say_settings();
  void last_go_away();
  void settle_connection_window();
  void enlarge_window(H2Stream& stream, size_t passed_on);
  void refuse_unsent();
  void drop_held(H2Stream& stream);
  nghttp2_data_provider body_of(H2Stream& stream) const;
  Side peer() const { return server ? Side::Client : Side::Upstream; }

  Handler& handler;
  const bool server;
  Handle<nghttp2_session, nghttp2_session_del> session;
  std::vector<std::unique_ptr<H2Stream>> streams, spare;
  H2HeadReader reader;
  H2Fields fields;
  FloodGuard guard;
  H2FrameWatch watch;
  H2Settings told;  // server: what the client knows of the upstream, or will know by the first SETTINGS
  bool settings_said = false;
  Time now;
  uint32_t stream_window;
  size_t held = 0;              // of all streams
  size_t owed = 0;              // of the connection's window, while too much is held
  ByteQueue* output = nullptr;  // within pull()
  size_t limit = 0;             // of it
  std::string explanation;      // nghttp2's latest, in words
  std::optional<Error> failure;
  bool stopped = false;  // nothing is received any more
  bool shutting_down = false, said_go_away = false;
  bool farewell_waits = false;        // nghttp2 has it to send, before any GOAWAY that it makes itself
  H2Code farewell = H2Code::NoError;  // of the GOAWAY that ends a shut_down()
  std::string farewell_debug;
};

// --- Setting up ---

const nghttp2_session_callbacks* H2Session::Impl::callbacks() {
  static const Callbacks made = [] {
    nghttp2_session_callbacks* all = nullptr;
    CHECK(nghttp2_session_callbacks_new(&all) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(all, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(all, header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(all, invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(all, frame_received);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(all, data);
    nghttp2_session_callbacks_set_on_stream_close_callback(all, stream_closed);
    nghttp2_session_callbacks_set_on_frame_send_callback(all, frame_sent);
    nghttp2_session_callbacks_set_send_data_callback(all, send_data);
    nghttp2_session_callbacks_set_error_callback2(all, explain);
    return Callbacks(all);
  }();
  return made.get();
}

const nghttp2_option* H2Session::Impl::options() {
  static const Options made = [] {
    nghttp2_option* all = nullptr;
    CHECK(nghttp2_option_new(&all) == 0);
    nghttp2_option_set_no_auto_window_update(all, 1);
    nghttp2_option_set_no_closed_streams(all, 1);
    nghttp2_option_set_max_outbound_ack(all, kMaximumAcknowledgements);
    nghttp2_option_set_max_continuations(all, kMaximumContinuations);
    nghttp2_option_set_max_send_header_block_length(all, kMaximumSentHeaders);
    // Resets are counted by our guard, which knows the caller's clock; this is nghttp2's own, out of the way.
    nghttp2_option_set_stream_reset_rate_limit(all, 1'000'000, 1'000'000);
    nghttp2_option_set_peer_max_concurrent_streams(all, kMaximumStreams);
    return Options(all);
  }();
  return made.get();
}

H2Session::Impl::Impl(Handler& owner, bool is_server, uint32_t window)
    : handler(owner), server(is_server), watch(is_server, guard), stream_window(window) {
  nghttp2_session* made = nullptr;
  int code = server ? nghttp2_session_server_new2(&made, callbacks(), this, options())
                    : nghttp2_session_client_new2(&made, callbacks(), this, options());
  CHECK(code == 0);
  session.reset(made);
  // Of a server the most that it may say, see say_settings.
  std::vector<nghttp2_settings_entry> settings = first_settings({.extended_connect = true});
  CHECK(nghttp2_submit_settings(made, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) == 0);
  CHECK(nghttp2_session_set_local_window_size(made, NGHTTP2_FLAG_NONE, 0, kConnectionWindow) == 0);
}

std::vector<nghttp2_settings_entry> H2Session::Impl::first_settings(const H2Settings& mirrored) const {
  std::vector<nghttp2_settings_entry> settings = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, stream_window},
                                                  {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kMaximumHeaderList}};
  if (!server) {
    settings.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
    return settings;
  }
  settings.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, mirrored.maximum_streams});
  settings.push_back({NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1});
  if (mirrored.extended_connect) settings.push_back({NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1});
  return settings;
}

H2Session::H2Session(Handler& handler, bool server, uint32_t stream_window)
    : impl_(std::make_unique<Impl>(handler, server, stream_window)) {}
H2Session::~H2Session() = default;

// --- Receiving ---

void H2Session::receive(Bytes bytes, Time now) {
  Impl& self = *impl_;
  self.now = now;
  if (self.stopped) return;
  std::optional<H2FrameWatch::Violation> violation = self.watch.look(bytes, now);
  if (violation) bytes = bytes.first(violation->offset);
  ssize_t taken = nghttp2_session_mem_recv(self.session.get(), as_u8(bytes), bytes.size());
  if (self.stopped) return;
  if (taken < 0) return self.fail_session_by(static_cast<int>(taken));
  if (violation) self.fail_session(violation->code, violation->what);
}

void H2Session::Impl::fail_session_by(int code) {
  std::string why = code == NGHTTP2_ERR_BAD_CLIENT_MAGIC ? "not HTTP/2's connection preface" : nghttp2_strerror(code);
  fail_session(code == NGHTTP2_ERR_FLOODED ? H2Code::EnhanceYourCalm : H2Code::ProtocolError, std::move(why));
}

int H2Session::Impl::begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  Impl& self = *static_cast<Impl*>(user);
  if (frame->hd.type != NGHTTP2_HEADERS) return 0;  // a push, which nghttp2 refuses
  Kind kind = self.server ? Kind::Request : Kind::Response;
  H2Stream* stream = self.stream_of(frame->hd.stream_id);
  if (self.server && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
    stream = &self.open(frame->hd.stream_id);
    nghttp2_session_set_stream_user_data(self.session.get(), frame->hd.stream_id, stream);
  }
  if (stream != nullptr && stream->head_done_) {
    self.reader.start_trailers(kind);
  } else {
    self.reader.start(kind);
  }
  return 0;
}

int H2Session::Impl::header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                            const uint8_t* value, size_t value_size, uint8_t flags, void* user) {
  Impl& self = *static_cast<Impl*>(user);
  bool never_index = (flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0;
  if (self.reader.add(as_text(as_bytes(name, name_size)), as_text(as_bytes(value, value_size)), never_index)) return 0;
  if (self.reader.list_size() > kHeaderListAttack) return self.flooded("a header list");
  if (H2Stream* stream = self.stream_of(frame->hd.stream_id)) stream->headers_too_large_ = true;
  return 0;
}

int H2Session::Impl::frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  Impl& self = *static_cast<Impl*>(user);
  bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
      return self.headers_received(*frame);
    case NGHTTP2_DATA: {
      bool padding_alone = frame->data.padlen > 0 && frame->hd.length <= frame->data.padlen;
      if (padding_alone && !ends && !self.guard.control_frame(self.now)) return self.flooded("empty DATA frames");
      if (ends) self.ended_by_peer(self.stream_of(frame->hd.stream_id), nullptr);
      return 0;
    }
    case NGHTTP2_RST_STREAM:
      return self.guard.reset(self.now) ? 0 : self.flooded("resets");
    case NGHTTP2_SETTINGS:
      if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) self.handler.on_settings();
      return 0;
    case NGHTTP2_PING:
      // The second step of shut_down(): whatever the client had sent before it knew has come.
      if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 && self.shutting_down) self.last_go_away();
      return 0;
    case NGHTTP2_GOAWAY:
      self.refuse_unsent();
      self.handler.on_go_away(static_cast<H2Code>(frame->goaway.error_code),
                              as_text(as_bytes(frame->goaway.opaque_data, frame->goaway.opaque_data_len)));
      return 0;
    default:
      return 0;
  }
}

// After the peer's GOAWAY: requests that wait for a place among its concurrent streams are not sent any more.
void H2Session::Impl::refuse_unsent() {
  std::vector<H2Stream*> unsent;
  for (const std::unique_ptr<H2Stream>& stream : streams) {
    if (stream_of(stream->id_) == nullptr && !stream->released_) unsent.push_back(stream.get());
  }
  for (H2Stream* stream : unsent) {
    handler.on_closed(*stream, H2Code::RefusedStream, true);
    stream->released_ = true;
    nghttp2_submit_rst_stream(session.get(), NGHTTP2_FLAG_NONE, stream->id_, NGHTTP2_REFUSED_STREAM);
  }
}

int H2Session::Impl::headers_received(const nghttp2_frame& frame) {
  H2Stream* stream = stream_of(frame.hd.stream_id);
  if (stream == nullptr || stream->released_) return 0;
  bool ends = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (stream->headers_too_large_) {
    stream->peer_ended_ = ends;
    refuse_large(*stream);
    return guard.reset(now) ? 0 : flooded("large header lists");
  }
  return stream->head_done_ ? trailers_received(*stream) : head_received(*stream, ends);
}

int H2Session::Impl::head_received(H2Stream& stream, bool ends) {
  Result<H2Head> head = reader.finish();
  if (!head) return refuse(stream, std::move(head).error().message);
  if (server && !head->protocol.empty() && !told.extended_connect)
    return refuse(stream, "request: an extended CONNECT, which was not offered");
  if (!server && head->head.status() / 100 == 1) {
    handler.on_informational(stream, head->head);
    return 0;
  }
  stream.head_done_ = stream.announced_ = true;
  handler.on_head(stream, std::move(*head), ends);
  if (ends) ended_by_peer(&stream, nullptr);
  return 0;
}

int H2Session::Impl::trailers_received(H2Stream& stream) {
  Result<Trailers> trailers = reader.finish_trailers();
  if (!trailers) return refuse(stream, std::move(trailers).error().message);
  ended_by_peer(&stream, &*trailers);
  return 0;
}

void H2Session::Impl::ended_by_peer(H2Stream* stream, const Trailers* trailers) {
  if (stream == nullptr) return;
  stream->peer_ended_ = true;
  if (!stream->released_) handler.on_end(*stream, trailers);
}

// Malformed, as nghttp2 would say it: a stream error (RFC 9113 section 8.1.1). on_closed or on_refused follows when the
// reset is sent.
int H2Session::Impl::refuse(H2Stream& stream, std::string why) {
  explanation = std::move(why);
  nghttp2_submit_rst_stream(session.get(), NGHTTP2_FLAG_NONE, stream.id_, NGHTTP2_PROTOCOL_ERROR);
  return 0;
}

// RFC 9113 section 10.5.1.
void H2Session::Impl::refuse_large(H2Stream& stream) {
  if (!server || stream.head_done_) {
    explanation = "a header list above 128 KiB";
    nghttp2_submit_rst_stream(session.get(), NGHTTP2_FLAG_NONE, stream.id_, NGHTTP2_PROTOCOL_ERROR);
    return;
  }
  handler.on_refused("request: a header list above 128 KiB");
  stream.released_ = true;
  stream.reset_with_ = H2Code::NoError;
  fields.of_response(Head::http2_response(431), {});
  ++stream.heads_waiting_;
  nghttp2_submit_response(session.get(), stream.id_, fields.data(), fields.size(), nullptr);
}

int H2Session::Impl::data(nghttp2_session*, uint8_t, int32_t id, const uint8_t* bytes, size_t size, void* user) {
  Impl& self = *static_cast<Impl*>(user);
  self.owed += size;
  self.settle_connection_window();
  H2Stream* stream = self.stream_of(id);
  if (stream == nullptr || stream->released_) {
    nghttp2_session_consume_stream(self.session.get(), id, size);
    return 0;
  }
  stream->held_ += size;
  self.held += size;
  self.handler.on_body(*stream, as_bytes(bytes, size));
  return 0;
}

// What nghttp2 says of a malformed field ends with its value, which may be anybody's secret: the name is enough.
int H2Session::Impl::explain(nghttp2_session*, int, const char* text, size_t size, void* user) {
  std::string_view said(text, size);
  constexpr size_t kMostExplained = 200;  // the name is the peer's word as well
  static_cast<Impl*>(user)->explanation = said.substr(0, std::min(said.find(", value: ["), kMostExplained));
  return 0;
}

int H2Session::Impl::flooded(std::string_view what) {
  fail_session(H2Code::EnhanceYourCalm, "too many or too much: " + std::string(what));
  return kStop;
}

// A client's error made us, or nghttp2, reset a stream: as cheap for it as a reset of its own, and as dear to those
// behind us ("made you reset", CVE-2025-8671). nghttp2 is sending, so it is not stopped at once.
void H2Session::Impl::reset_forced() {
  if (!stopped && !guard.reset(now)) flooded("malformed messages");
}

void H2Session::Impl::fail_session(H2Code code, std::string why) {
  stopped = true;
  failure = Error{code == H2Code::EnhanceYourCalm ? ErrorKind::Limit : ErrorKind::Protocol, peer(), std::move(why), 0};
  nghttp2_session_terminate_session(session.get(), static_cast<uint32_t>(code));
}

// --- Windows ---

void H2Session::Impl::settle_connection_window() {
  if (owed == 0 || held > kConnectionHeld) return;
  nghttp2_session_consume_connection(session.get(), owed);
  owed = 0;
}

void H2Session::consume(H2Stream& stream, size_t size) {
  Impl& self = *impl_;
  CHECK(size <= stream.held_);
  stream.held_ -= size;
  self.held -= size;
  self.settle_connection_window();
  if (stream.peer_ended_) return;
  nghttp2_session_consume_stream(self.session.get(), stream.id_, size);
  self.enlarge_window(stream, size);
}

// Half a window was passed on and nothing waits: its reader keeps up, and may be sent twice as much.
void H2Session::Impl::enlarge_window(H2Stream& stream, size_t passed_on) {
  stream.passed_on_ += passed_on;
  if (stream.held_ > 0 || stream.passed_on_ < stream.window_ / 2 || stream.window_ >= kLargestWindow) return;
  stream.passed_on_ = 0;
  stream.window_ *= 2;
  nghttp2_session_set_local_window_size(session.get(), NGHTTP2_FLAG_NONE, stream.id_,
                                        static_cast<int32_t>(stream.window_));
}

void H2Session::Impl::drop_held(H2Stream& stream) {
  held -= stream.held_;
  stream.held_ = 0;
  settle_connection_window();
}

// --- Streams ---

H2Stream& H2Session::Impl::open(int32_t id) {
  std::unique_ptr<H2Stream> stream;
  if (spare.empty()) {
    stream = std::make_unique<H2Stream>();
  } else {
    stream = std::move(spare.back());
    spare.pop_back();
  }
  stream->id_ = id;
  stream->index_ = streams.size();
  stream->window_ = stream_window;
  streams.push_back(std::move(stream));
  return *streams.back();
}

void H2Session::Impl::forget(H2Stream& stream) {
  drop_held(stream);
  size_t index = stream.index_;
  std::unique_ptr<H2Stream> gone = std::move(streams[index]);
  if (index + 1 < streams.size()) {
    streams[index] = std::move(streams.back());
    streams[index]->index_ = index;
  }
  streams.pop_back();
  constexpr size_t kSpare = 8;  // what a busy connection needs again at once
  if (spare.size() >= kSpare) return;
  *gone = H2Stream();
  spare.push_back(std::move(gone));
}

int H2Session::Impl::stream_closed(nghttp2_session*, int32_t id, uint32_t code, void* user) {
  Impl& self = *static_cast<Impl*>(user);
  H2Stream* stream = self.stream_of(id);
  if (stream == nullptr) return 0;
  if (stream->ended_ && stream->peer_ended_) self.guard.stream_completed();
  // While we pull, it is our own reset or end that closes it; while we receive, the peer's.
  bool by_peer = self.output == nullptr;
  if (!stream->released_) {
    if (self.server && !stream->announced_) {
      self.handler.on_refused(self.explanation.empty() ? "request: malformed" : self.explanation);
    } else {
      self.handler.on_closed(*stream, static_cast<H2Code>(code), by_peer);
    }
    if (self.server && !by_peer && code != NGHTTP2_NO_ERROR) self.reset_forced();
  }
  nghttp2_session_set_stream_user_data(self.session.get(), id, nullptr);
  self.forget(*stream);
  return 0;
}

void H2Session::write(H2Stream& stream, Bytes payload) {
  if (payload.empty()) return;
  stream.out_.append(payload);
  impl_->resume(stream);
}

void H2Session::end(H2Stream& stream, const Trailers* trailers) {
  if (stream.ended_) return;
  stream.ended_ = true;
  if (trailers != nullptr) stream.trailers_ = *trailers;
  impl_->resume(stream);
}

void H2Session::Impl::resume(H2Stream& stream) {
  if (!std::exchange(stream.deferred_, false)) return;
  nghttp2_session_resume_data(session.get(), stream.id_);
}

void H2Session::reset(H2Stream& stream, H2Code code) {
  stream.out_.clear();
  release(stream);
  nghttp2_submit_rst_stream(impl_->session.get(), NGHTTP2_FLAG_NONE, stream.id_, static_cast<uint32_t>(code));
}

void H2Session::reset_after_body(H2Stream& stream, H2Code code) {
  if (stream.all_sent()) return reset(stream, code);
  stream.reset_with_ = code;
  release(stream);
}

void H2Session::release(H2Stream& stream) {
  if (stream.released_) return;
  stream.released_ = true;
  stream.context = nullptr;
  size_t dropped = stream.held_;
  impl_->drop_held(stream);
  if (dropped > 0) nghttp2_session_consume_stream(impl_->session.get(), stream.id_, dropped);
}

// --- Sending ---

nghttp2_data_provider H2Session::Impl::body_of(H2Stream& stream) const {
  nghttp2_data_provider provider;
  provider.source.ptr = &stream;
  provider.read_callback = read_body;
  return provider;
}

ssize_t H2Session::Impl::read_body(nghttp2_session* session, int32_t id, uint8_t*, size_t room, uint32_t* flags,
                                   nghttp2_data_source* source, void* user) {
  Impl& self = *static_cast<Impl*>(user);
  H2Stream& stream = *static_cast<H2Stream*>(source->ptr);
  size_t size = std::min(room, stream.out_.size());
  bool last = stream.ended_ && size == stream.out_.size();
  if (size == 0 && !last) {
    stream.deferred_ = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (last) {
    stream.body_done_ = true;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!stream.trailers_.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      self.fields.of_trailers(stream.trailers_);
      nghttp2_submit_trailer(session, id, self.fields.data(), self.fields.size());
    }
  }
  return static_cast<ssize_t>(size);
}

int H2Session::Impl::send_data(nghttp2_session*, nghttp2_frame* frame, const uint8_t* header, size_t,
                               nghttp2_data_source* source, void* user) {
  Impl& self = *static_cast<Impl*>(user);
  H2Stream& stream = *static_cast<H2Stream*>(source->ptr);
  constexpr size_t kFrameHeader = 9;
  size_t size = frame->hd.length;
  self.output->append(as_bytes(header, kFrameHeader));
  self.output->append(stream.out_.bytes().first(size));
  stream.out_.consume(size);
  self.guard.body_sent(size);
  if (!stream.released_ && size > 0) self.handler.on_sent(stream);
  return self.output->size() < self.limit ? 0 : NGHTTP2_ERR_PAUSE;  // else nghttp2 goes on to the windows' end
}

// nghttp2 drops what waits of a stream as soon as a reset of it is submitted: so not before all else is sent.
void H2Session::Impl::stream_frame_sent(H2Stream& stream, const nghttp2_frame_hd& header) {
  if (header.type == NGHTTP2_HEADERS && stream.heads_waiting_ > 0) --stream.heads_waiting_;
  if ((header.flags & NGHTTP2_FLAG_END_STREAM) != 0) stream.end_sent_ = true;
  bool closes_by_itself = stream.end_sent_ && stream.peer_ended_;
  if (!stream.reset_with_ || !stream.all_sent() || closes_by_itself) return;
  auto code = static_cast<uint32_t>(*std::exchange(stream.reset_with_, std::nullopt));
  nghttp2_submit_rst_stream(session.get(), NGHTTP2_FLAG_NONE, stream.id_, code);
}

int H2Session::Impl::frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  Impl& self = *static_cast<Impl*>(user);
  if (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) {
    if (H2Stream* stream = self.stream_of(frame->hd.stream_id)) self.stream_frame_sent(*stream, frame->hd);
    return 0;
  }
  if (frame->hd.type != NGHTTP2_GOAWAY || self.stopped) return 0;
  H2Code code = static_cast<H2Code>(frame->goaway.error_code);
  if (code == H2Code::NoError || std::exchange(self.farewell_waits, false)) return 0;
  // nghttp2 found an error of the peer's and says so: what it has explained is the reason.
  self.stopped = true;
  std::string why(to_string(code));
  std::string_view debug = as_text(as_bytes(frame->goaway.opaque_data, frame->goaway.opaque_data_len));
  if (!debug.empty()) why.append(": ").append(debug);
  self.failure = Error{ErrorKind::Protocol, self.peer(), std::move(why), 0};
  return 0;
}

// nghttp2 wants a server's SETTINGS before it reads any of the client's. What they have to say of the upstream may be
// known only later: so nghttp2's own, which are the first frame (RFC 9113 section 3.4), are said in other words.
void H2Session::Impl::say_settings() {
  settings_said = true;
  if (!server) return;
  const uint8_t* unsaid = nullptr;
  CHECK(nghttp2_session_mem_send(session.get(), &unsaid) > 0 && unsaid[3] == NGHTTP2_SETTINGS);
  constexpr size_t kHeader = 9, kEntry = 6;
  std::vector<nghttp2_settings_entry> settings = first_settings(told);
  std::vector<uint8_t> frame(kHeader + kEntry * settings.size());
  frame[2] = static_cast<uint8_t>(kEntry * settings.size());
  frame[3] = NGHTTP2_SETTINGS;
  nghttp2_pack_settings_payload(frame.data() + kHeader, frame.size() - kHeader, settings.data(), settings.size());
  output->append(as_bytes(frame.data(), frame.size()));
}

void H2Session::pull(ByteQueue& out, size_t limit) {
  Impl& self = *impl_;
  self.output = &out;
  self.limit = limit;
  if (!self.settings_said) self.say_settings();
  while (out.size() < limit && nghttp2_session_want_write(self.session.get()) != 0) {
    const uint8_t* bytes = nullptr;
    ssize_t size = nghttp2_session_mem_send(self.session.get(), &bytes);
    if (size < 0) self.fail_session(H2Code::InternalError, nghttp2_strerror(static_cast<int>(size)));
    if (size <= 0) break;
    out.append(as_bytes(bytes, static_cast<size_t>(size)));
  }
  self.output = nullptr;
}

bool H2Session::wants_pull() const {
  return nghttp2_session_want_write(impl_->session.get()) != 0;
}

bool H2Session::over() const {
  nghttp2_session* session = impl_->session.get();
  bool reads = !impl_->stopped && nghttp2_session_want_read(session) != 0;
  return !reads && nghttp2_session_want_write(session) == 0;
}

const std::optional<Error>& H2Session::failure() const {
  return impl_->failure;
}
size_t H2Session::queued_frames() const {
  return nghttp2_session_get_outbound_queue_size(impl_->session.get());
}
size_t H2Session::streams() const {
  return impl_->streams.size();
}

// --- The connection ---

void H2Session::go_away(H2Code code) {
  impl_->stopped = true;
  nghttp2_session_terminate_session(impl_->session.get(), static_cast<uint32_t>(code));
}

uint32_t H2Session::peer_initial_window() const {
  return nghttp2_session_get_remote_settings(impl_->session.get(), NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);
}
H2Settings H2Session::peer_settings() const {
  nghttp2_session* session = impl_->session.get();
  uint32_t streams = nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  bool connect = nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
  return {connect, std::min(streams, kMaximumStreams)};
}

// --- Server ---

H2Server::H2Server(Handler& handler) : H2Session(handler, true, kStreamWindow) {}

void H2Server::inform(H2Stream& stream, const Head& head) {
  Impl& self = *impl_;
  self.fields.of_response(head, {});
  ++stream.heads_waiting_;
  nghttp2_submit_headers(self.session.get(), NGHTTP2_FLAG_NONE, stream.id(), nullptr, self.fields.data(),
                         self.fields.size(), nullptr);
}

void H2Server::respond(H2Stream& stream, const Head& head, std::string_view never_indexed, bool ends) {
  Impl& self = *impl_;
  self.fields.of_response(head, never_indexed);
  nghttp2_data_provider body = self.body_of(stream);
  stream.ended_ = stream.body_done_ = ends;
  ++stream.heads_waiting_;
  nghttp2_submit_response(self.session.get(), stream.id(), self.fields.data(), self.fields.size(),
                          ends ? nullptr : &body);
}

// What was offered once cannot be taken back (RFC 8441 section 3).
void H2Server::mirror(const H2Settings& settings) {
  H2Settings& told = impl_->told;
  std::vector<nghttp2_settings_entry> news;
  if (settings.extended_connect && !told.extended_connect)
    news.push_back({NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1});
  if (settings.maximum_streams != told.maximum_streams)
    news.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.maximum_streams});
  told = {told.extended_connect || settings.extended_connect, settings.maximum_streams};
  if (impl_->settings_said && !news.empty())
    nghttp2_submit_settings(impl_->session.get(), NGHTTP2_FLAG_NONE, news.data(), news.size());
}

// In two steps, so that no request is lost that the client sent before it knew (RFC 9113 section 6.8).
void H2Server::shut_down(bool at_once, H2Code code, std::string_view debug) {
  constexpr size_t kMostDebug = 1024;
  if (code != H2Code::NoError && impl_->farewell == H2Code::NoError) {
    impl_->farewell = code;
    impl_->farewell_debug = debug.substr(0, kMostDebug);
    impl_->said_go_away = false;  // one without a reason may have been said
  }
  if (!std::exchange(impl_->shutting_down, true) && !at_once) {
    nghttp2_submit_shutdown_notice(impl_->session.get());
    nghttp2_submit_ping(impl_->session.get(), NGHTTP2_FLAG_NONE, nullptr);
  }
  if (at_once) impl_->last_go_away();
}

void H2Session::Impl::last_go_away() {
  if (std::exchange(said_go_away, true)) return;
  size_t queued = nghttp2_session_get_outbound_queue_size(session.get());
  nghttp2_submit_goaway(session.get(), NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session.get()),
                        static_cast<uint32_t>(farewell), as_u8(as_bytes(farewell_debug)), farewell_debug.size());
  // Behind a GOAWAY of its own nghttp2 takes none, without a word.
  bool taken = nghttp2_session_get_outbound_queue_size(session.get()) > queued;
  farewell_waits = taken && farewell != H2Code::NoError;
}

// --- Client ---

H2Client::H2Client(Handler& handler, uint32_t stream_window)
    : H2Session(handler, false, std::clamp(stream_window, kSmallestWindow, kStreamWindow)) {}

H2Stream& H2Client::request(const Head& head, const H2Extras& extras, bool ends) {
  Impl& self = *impl_;
  H2Stream& stream = self.open(0);
  stream.ended_ = stream.body_done_ = ends;
  self.fields.of_request(head, extras);
  nghttp2_data_provider body = self.body_of(stream);
  int32_t id = nghttp2_submit_request(self.session.get(), nullptr, self.fields.data(), self.fields.size(),
                                      ends ? nullptr : &body, &stream);
  stream.id_ = id;
  return stream;
}

}  // namespace waylay::http
