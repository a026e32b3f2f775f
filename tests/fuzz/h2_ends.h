// What both HTTP/2 fuzz targets share: an end that answers, consumes and checks that no head could be read as another.
#pragma once

#include <cstdlib>

#include "http/h2.h"

namespace waylay::http {

// As HTTP/1.1 the same fields must parse to the same fields: nothing in one can make another. (The start line's own
// form differs for CONNECT, and that has no Host.)
inline void check_head(const Head& head) {
  bool response = head.kind() == Kind::Response;
  bool tunnel = head.method() == "CONNECT";
  std::string text = response ? "HTTP/1.1 200 OK\r\n"
                     : tunnel ? "GET / HTTP/1.1\r\n"
                              : std::string(head.method()) + " " + std::string(head.target()) + " HTTP/1.1\r\n";
  if (tunnel && !head.has("host")) text += "host: a\r\n";
  text += head.raw().substr(head.raw().find("\r\n") + 2);
  Result<Head> parsed = Head::parse(head.kind(), text, Side::Client);
  size_t added = parsed ? parsed->field_count() - head.field_count() : 2;
  if (added > (tunnel ? 1 : 0)) std::abort();
  for (size_t i = 0; i < head.field_count(); ++i) {
    HeaderField seen = parsed->field(i + added), made = head.field(i);
    if (seen.name != made.name || seen.value != made.value) std::abort();
  }
}

class FuzzedEnd : public H2Session::Handler {
 public:
  void on_head(H2Stream& stream, H2Head head, bool) override {
    check_head(head.head);
    if (server == nullptr) return;
    Head answer = Head::http2_response(200);
    server->inform(stream, Head::http2_response(103));
    server->respond(stream, answer, head.never_indexed, false);
    server->write(stream, as_bytes(head.head.raw()));
  }
  void on_informational(H2Stream&, const Head& head) override { check_head(head); }
  void on_body(H2Stream& stream, Bytes payload) override {
    if (stream.held() < payload.size()) std::abort();
    if (payload[0] == std::byte{'r'}) return session->reset(stream, H2Code::Cancel);
    if (payload[0] == std::byte{'h'}) return;  // held back
    if (server != nullptr) session->write(stream, payload);
    session->consume(stream, stream.held());
  }
  void on_end(H2Stream& stream, const Trailers* trailers) override { session->end(stream, trailers); }
  void on_sent(H2Stream&) override {}
  void on_closed(H2Stream&, H2Code, bool) override {}
  void on_refused(std::string) override {}
  void on_settings() override {}
  void on_go_away(H2Code, std::string_view) override {}

  H2Session* session = nullptr;
  H2Server* server = nullptr;
};

inline void feed(H2Session& session, Bytes bytes, size_t piece) {
  Time now{1'000'000'000, 0};
  while (!bytes.empty() && !session.over()) {
    Bytes part = bytes.first(std::min(piece, bytes.size()));
    session.receive(part, now);
    ByteQueue out;
    session.pull(out, 1 << 20);
    bytes = bytes.subspan(part.size());
    now.steady_ns += 1'000'000;
  }
}

}  // namespace waylay::http
