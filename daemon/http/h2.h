// One end of an HTTP/2 connection without I/O (RFC 9113; nghttp2 inside): bytes in, bytes out; streams come as heads,
// bodies and ends, and are answered by the same. H2Server is the end towards a client, H2Client the one towards a
// server.
//
//   session.receive(bytes, now);        // events are called
//   session.respond(stream, head, ...); // commands, also from within events
//   session.pull(output, limit);        // frames that may be sent now
//
// Flow control: what was received on a stream is the caller's until it says consume(); only then is the stream's window
// given back. The connection's window is given back at once while less than kConnectionHeld waits in all, so that one
// slow reader does not stop its neighbours. A stream whose reader keeps up gets a larger window step by step. What is
// written waits in the stream until the peer's windows let it go, see H2Stream::waiting().
//
// Floods (header lists, CONTINUATION, resets, control frames) end the connection with ENHANCE_YOUR_CALM, see
// h2_guard.h. A server's push is refused by our SETTINGS. Priority signals are ignored, the priority field is a field
// like others.
//
// Ownership: a session owns its streams. A stream is valid until on_closed of it, or release() or reset(), after which
// no event of it follows.
#pragma once

#include <memory>
#include <optional>

#include "base/byte_queue.h"
#include "base/clock.h"
#include "http/h2_head.h"

namespace waylay::http {

enum class H2Code : uint32_t {  // RFC 9113 section 7
  NoError = 0x0,
  ProtocolError = 0x1,
  InternalError = 0x2,
  FlowControlError = 0x3,
  SettingsTimeout = 0x4,
  StreamClosed = 0x5,
  FrameSizeError = 0x6,
  RefusedStream = 0x7,
  Cancel = 0x8,
  CompressionError = 0x9,
  ConnectError = 0xa,
  EnhanceYourCalm = 0xb,
  InadequateSecurity = 0xc,
  Http11Required = 0xd,
};
std::string_view to_string(H2Code code);  // "REFUSED_STREAM"

constexpr uint32_t kSmallestWindow = 16 * 1024;       // a stream's, whatever the other side gives
constexpr uint32_t kStreamWindow = 128 * 1024;        // at first: a few round trips to grow, as TCP's own
constexpr uint32_t kLargestWindow = 2 * 1024 * 1024;  // 100 MB/s over 20 ms
constexpr size_t kConnectionHeld = 8 * 1024 * 1024;   // 64 streams that nobody reads
constexpr uint32_t kConnectionWindow = 8 * 1024 * 1024;
constexpr uint32_t kMaximumStreams = 100;  // at once, of a client (RFC 9113 section 6.5.2: not fewer)

// What a server's SETTINGS say that a client of ours can see.
struct H2Settings {
  bool extended_connect = false;
  uint32_t maximum_streams = kMaximumStreams;  // not more than ours

  friend bool operator==(const H2Settings&, const H2Settings&) = default;
};
// Of the SETTINGS frame that a server begins with, once all of it is there; nothing is used up.
std::optional<H2Settings> peek_settings(Bytes first);

class H2Session;

// One stream, while it is open.
class H2Stream {
 public:
  void* context = nullptr;  // the caller's own

  int32_t id() const { return id_; }
  size_t waiting() const { return out_.size(); }  // written, not sent yet
  size_t held() const { return held_; }           // received, not consumed yet
  bool has_ended() const { return ended_; }       // our side, though something may wait
  bool peer_has_ended() const { return peer_ended_; }
  bool is_complete() const { return ended_ && peer_ended_; }

 private:
  friend class H2Session;
  friend class H2Client;
  friend class H2Server;
  bool all_sent() const { return out_.empty() && heads_waiting_ == 0 && (!ended_ || end_sent_); }

  int32_t id_ = 0;
  size_t index_ = 0;  // among the session's
  ByteQueue out_;
  Trailers trailers_;                 // sent behind the body
  std::optional<H2Code> reset_with_;  // once all before it is sent
  unsigned heads_waiting_ = 0;        // server: submitted, not sent, with informational ones
  size_t held_ = 0, window_ = 0;
  size_t passed_on_ = 0;    // consumed since the window was made larger
  bool announced_ = false;  // its head was told
  bool head_done_ = false;  // the next header block is trailers
  bool peer_ended_ = false;
  bool released_ = false;   // no more events
  bool ended_ = false;      // the caller ended its side
  bool body_done_ = false;  // nothing more of our side is left but what nghttp2 has already
  bool end_sent_ = false;   // END_STREAM
  bool deferred_ = false;   // nghttp2 waits for resume
  bool headers_too_large_ = false;
};

class H2Session {
 public:
  // Called from within receive() and pull(). May give commands, but not receive, pull or destroy this session.
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void on_head(H2Stream& stream, H2Head head, bool ends) = 0;  // a request, or a final response
    virtual void on_informational(H2Stream& stream, const Head& head) = 0;
    virtual void on_body(H2Stream& stream, Bytes payload) = 0;  // borrowed for the call
    virtual void on_end(H2Stream& stream, const Trailers* trailers) = 0;
    virtual void on_sent(H2Stream& stream) = 0;  // some of its body left: waiting() is smaller
    // Both directions have ended (NoError), or the stream was reset: by the peer, or by us for an error of the peer's.
    virtual void on_closed(H2Stream& stream, H2Code code, bool by_peer) = 0;
    virtual void on_refused(std::string why) = 0;  // server: a request that was malformed, and reset
    virtual void on_settings() = 0;                // the peer's have come
    virtual void on_go_away(H2Code code, std::string_view debug) = 0;
  };

  ~H2Session();
  H2Session(const H2Session&) = delete;
  H2Session& operator=(const H2Session&) = delete;

  void receive(Bytes bytes, Time now);      // all are taken
  void pull(ByteQueue& out, size_t limit);  // appends whole frames until `out` holds `limit` bytes or nothing is left
  bool wants_pull() const;
  bool over() const;                            // nothing more is to be read or written: close after what was pulled
  const std::optional<Error>& failure() const;  // why the connection ended with an error of the peer's
  size_t queued_frames() const;                 // without bodies
  size_t streams() const;                       // open ones, also released

  // Streams.
  void write(H2Stream& stream, Bytes payload);
  void end(H2Stream& stream, const Trailers* trailers = nullptr);
  void consume(H2Stream& stream, size_t size);
  void reset(H2Stream& stream, H2Code code);             // at once; what waits is dropped
  void reset_after_body(H2Stream& stream, H2Code code);  // and after the response's head, and the trailers
  void release(H2Stream& stream);  // what was written and ended is still sent; what still comes is dropped

  // The connection.
  void go_away(H2Code code);  // ends it: nothing follows
  uint32_t peer_initial_window() const;
  H2Settings peer_settings() const;

 protected:
  struct Impl;
  H2Session(Handler& handler, bool server, uint32_t stream_window);
  std::unique_ptr<Impl> impl_;
};

class H2Server : public H2Session {
 public:
  explicit H2Server(Handler& handler);

  void inform(H2Stream& stream, const Head& head);  // 1xx
  // `never_indexed` as in H2Head. With `ends` no body follows.
  void respond(H2Stream& stream, const Head& head, std::string_view never_indexed, bool ends);
  // Tells the client, if it is something new: with the first SETTINGS, which the first pull() says, or with others.
  void mirror(const H2Settings& settings);
  // Takes no new streams: at once, or once the client knows; over() when those open have ended. `code` and `debug` are
  // what the last GOAWAY says.
  void shut_down(bool at_once, H2Code code = H2Code::NoError, std::string_view debug = {});
};

class H2Client : public H2Session {
 public:
  // `stream_window` is what the response's reader takes: between kSmallestWindow and kStreamWindow.
  H2Client(Handler& handler, uint32_t stream_window);

  H2Stream& request(const Head& head, const H2Extras& extras, bool ends);
};

}  // namespace waylay::http
