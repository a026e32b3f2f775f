// Runs an H1Reader over bytes and writes down what it says, so that two ways of feeding can be compared.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "http/h1.h"
#include "support/llhttp_reader.h"

namespace waylay::http {

struct Transcript {
  std::vector<std::string> events;  // "head GET / HTTP/1.1", "body hello", "end", "tunnel", "failed ambiguous", ...
  std::string raw;                  // all raw bytes, in order
  std::string unread;               // behind a tunnel or a failure
  std::string message;              // of a failure
  friend bool operator==(const Transcript& a, const Transcript& b) { return a.events == b.events; }
};

// `methods` are those that the responses answer, in order. `pieces` are put one by one; then the end of the stream, if
// `with_eof`.
inline Transcript read_pieces(Kind kind, const std::vector<std::string>& pieces, std::vector<std::string> methods = {},
                              bool with_eof = true) {
  using Event = H1Reader::Event;
  H1Reader reader(kind, kind == Kind::Request ? Side::Client : Side::Upstream);
  std::deque<std::string> questions(methods.begin(), methods.end());
  auto ask = [&] {
    if (kind == Kind::Request || questions.empty()) return;
    reader.answer_to(questions.front());
    questions.pop_front();
  };
  ask();
  Transcript seen;
  std::string body;
  bool final_response = true;
  auto flush_body = [&] {
    if (!body.empty()) seen.events.push_back("body " + std::exchange(body, {}));
  };
  auto note = [&](Event event) {
    seen.raw += as_text(reader.raw());
    switch (event) {
      case Event::NeedMore:
        return false;
      case Event::Head:
        EXPECT_TRUE(LlhttpReader(reader.head()).reads_like(reader.head())) << reader.head().raw();
        seen.raw += reader.head().raw();
        seen.events.push_back("head " + reader.head().raw().substr(0, reader.head().raw().find("\r\n")));
        final_response = reader.head().status() / 100 != 1;
        return true;
      case Event::Body:
        body += as_text(reader.payload());
        return true;
      case Event::End:
        flush_body();
        for (const auto& [name, value] : reader.trailers()) seen.events.push_back("trailer " + name + "=" + value);
        seen.events.push_back("end");
        if (final_response) ask();
        return true;
      case Event::Tunnel:
        if (seen.events.back() != "tunnel") seen.events.push_back("tunnel");
        seen.unread += as_text(reader.unread());
        return false;
      case Event::Failed:
        flush_body();
        seen.events.push_back("failed " + std::string(to_string(reader.error().kind)));
        seen.message = reader.error().message;
        return false;
    }
    return false;
  };
  for (const std::string& piece : pieces) {
    reader.put(as_bytes(piece));
    while (note(reader.next())) {
    }
    if (!seen.events.empty() && seen.events.back().starts_with("failed")) return seen;
  }
  if (with_eof) note(reader.on_eof());
  flush_body();
  return seen;
}

inline Transcript read_whole(Kind kind, const std::string& bytes, std::vector<std::string> methods = {},
                             bool with_eof = true) {
  return read_pieces(kind, {bytes}, std::move(methods), with_eof);
}

inline std::vector<std::string> byte_by_byte(const std::string& bytes) {
  std::vector<std::string> pieces;
  for (char c : bytes) pieces.emplace_back(1, c);
  return pieces;
}

}  // namespace waylay::http
