// What both ends of an HTTP/2 connection in a simulation have in common: frames, header compression (nghttp2's tables),
// windows, and the oddities that RFC 9113 allows. On purpose not the session that is under test: it holds the peer to
// the letter of the windows and of the order of frames, and reports what is against them.
#pragma once

#include <nghttp2/nghttp2.h>

#include <deque>
#include <list>
#include <map>

#include "base/handle.h"
#include "simulation/speaker.h"
#include "support/h2_frame.h"

namespace waylay::simulation {

using http::h2_frame;

class H2End : public virtual Speaker {
 public:
  std::string say() final;
  void hear(std::string_view text) final;
  void hear_end() override { heard_end_ = true; }
  std::map<size_t, OpenStream> open_exchanges() const final;

 protected:
  struct Stream {
    uint32_t id = 0;
    size_t exchange = 0;  // of the story's plan
    // What is said.
    std::string body;
    size_t sent = 0;
    bool may_end = true;  // behind the body; a tunnel's end waits
    Fields trailers;
    std::optional<size_t> cut_after;  // octets, then RST_STREAM
    uint32_t cut_code = 0;
    int64_t window = 0;  // the peer's: may be below zero (RFC 9113 section 6.9.2)
    bool head_said = false, ended = false;
    // What is heard.
    std::string expected;    // the peer's body
    bool is_planned = true;  // else nobody knows what it will be
    size_t heard = 0;
    uint64_t used = 0;     // of its window: with padding
    uint64_t granted = 0;  // by our window updates
    bool head_heard = false, peer_ended = false, informed = false;
    Fields head, peer_trailers;
    bool reset = false;                 // by either side: no more is said, and what is heard counts for windows only
    std::optional<uint32_t> peer_code;  // of its RST_STREAM

    bool over() const { return reset || (ended && peer_ended); }
  };

  H2End(Story& story, bool is_client);

  // What the two kinds of ends do.
  virtual bool act() = 0;  // begins something new, if there is anything
  virtual void on_head(Stream& stream) = 0;
  virtual void on_informational(Stream& stream, const Fields& fields) = 0;
  virtual void on_end(Stream& stream) = 0;
  virtual void on_reset(Stream& stream) = 0;
  virtual void on_go_away(uint32_t last, Farewell farewell) = 0;
  virtual Stream* begun_by_peer(uint32_t id) = 0;  // null: not allowed
  virtual bool is_slow(const PlannedExchange& exchange) const = 0;
  virtual Progress& said(size_t exchange) = 0;
  virtual Progress& heard(size_t exchange) = 0;
  virtual void add_settings(std::string& settings) = 0;
  virtual std::string own_malformed() = 0;  // empty: not now

  Stream& open(uint32_t id, size_t exchange);
  void say_head(Stream& stream, const Fields& fields, bool ends);
  void say_reset(Stream& stream, uint32_t code);
  void say_go_away(uint32_t last, const Farewell& farewell);
  static std::string number(uint32_t value);
  static std::string setting(uint16_t name, uint32_t value);
  std::string header_block(const Fields& fields);
  size_t open_streams() const;
  std::string describe_streams() const;  // the open ones
  [[noreturn]] void wrong(const std::string& what) const;

  Story& story_;
  Chance& chance_;
  std::list<Stream> streams_;
  bool peer_leaves_ = false;  // it said GOAWAY
  bool heard_end_ = false;
  std::map<uint16_t, uint32_t> peer_settings_;
  std::string out_;  // frames that are being sent

 private:
  using Deflater = Handle<nghttp2_hd_deflater, nghttp2_hd_deflate_del>;
  using Inflater = Handle<nghttp2_hd_inflater, nghttp2_hd_inflate_del>;

  Stream* find(uint32_t id);
  // Saying.
  bool say_something();
  void say_preface();
  bool say_body();
  bool can_say(const Stream& stream) const;
  void say_piece(Stream& stream);
  size_t most_said(const Stream& stream);
  void say_end(Stream& stream);
  bool give_window();
  bool give_connection_window();
  bool say_oddity();
  void change_settings();
  bool say_malformed();
  void too_much_given(uint32_t id);
  void say_headers(uint32_t id, const Fields& fields, bool ends);
  // Hearing.
  size_t take_frame();
  void on_frame(uint8_t type, uint8_t flags, uint32_t id, std::string_view payload);
  void on_data(uint8_t flags, uint32_t id, std::string_view payload);
  void on_header_block(uint8_t flags, uint32_t id);
  Fields inflate(std::string_view block);
  void on_settings(uint8_t flags, std::string_view payload);
  void apply_setting(uint16_t name, uint32_t value);
  void on_ping(uint8_t flags, std::string_view payload);
  void on_window_update(uint32_t id, std::string_view payload);
  std::string_view without_padding(uint8_t flags, std::string_view payload) const;
  int64_t room(const Stream& stream) const;
  void forget_closed();
  void note_allowed(const Stream& stream);

  const bool is_client_;
  Deflater deflater_;
  Inflater inflater_;
  std::string in_;
  bool preface_said_ = false, preface_heard_ = false, settings_heard_ = false, deaf_ = false;
  // What we give.
  uint32_t initial_window_ = 65'535, asked_window_ = 65'535;  // acknowledged; in force at the latest then
  uint32_t table_size_ = 4'096;
  bool settings_asked_ = false;  // and not acknowledged
  uint32_t frame_size_ = 16'384;
  size_t generous_;  // how much window is given at a time
  uint64_t connection_granted_ = 65'535, connection_heard_ = 0;
  // What we are given.
  int64_t connection_window_ = 65'535;
  uint32_t peer_initial_window_ = 65'535, peer_frame_size_ = 16'384;
  std::deque<std::string> pings_;  // not answered
  std::string block_;              // of headers, while it comes
  uint32_t block_of_ = 0;
  uint8_t block_flags_ = 0;
};

}  // namespace waylay::simulation
