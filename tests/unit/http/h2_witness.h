// An end of an HTTP/2 session under test: what it is told, written down.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "http/h2.h"

namespace waylay::http {

// Writes down what a session says, and keeps its streams.
class Witness : public H2Session::Handler {
 public:
  void on_head(H2Stream& stream, H2Head head, bool ends) override {
    said += head.head.raw().substr(0, head.head.raw().size() - 2) + (ends ? "[ends]" : "");
    heads.push_back(std::move(head));
    streams.push_back(&stream);
    if (answer) answer(stream);
  }
  void on_informational(H2Stream&, const Head& head) override { said += "<" + std::to_string(head.status()) + ">"; }
  void on_body(H2Stream& stream, Bytes payload) override {
    body += as_text(payload);
    if (consumer != nullptr) consumer->consume(stream, payload.size());
  }
  void on_end(H2Stream&, const Trailers* trailers) override {
    said += "[end";
    if (trailers != nullptr)
      for (const auto& [name, value] : *trailers) said += " " + name + "=" + value;
    said += "]";
  }
  void on_sent(H2Stream&) override {}
  void on_closed(H2Stream&, H2Code code, bool by_peer) override {
    said += "[closed " + std::string(to_string(code)) + (by_peer && code != H2Code::NoError ? " by peer]" : "]");
  }
  void on_refused(std::string why) override { said += "[refused " + why + "]"; }
  void on_settings() override { ++settings; }
  void on_go_away(H2Code code, std::string_view debug) override {
    said += "[goaway " + std::string(to_string(code)) + (debug.empty() ? "" : " " + std::string(debug)) + "]";
  }

  std::string said, body;
  std::vector<H2Head> heads;
  std::vector<H2Stream*> streams;
  int settings = 0;
  H2Session* consumer = nullptr;
  std::function<void(H2Stream&)> answer;
};

inline H2Head get(std::string_view path, const std::vector<std::pair<std::string, std::string>>& fields = {}) {
  H2Head head;
  head.head = Head::http2_request("GET", path);
  head.head.add("host", "example.org");
  head.scheme = "https";
  for (const auto& [name, value] : fields) head.head.add(name, value);
  return head;
}

inline H2Stream& ask(H2Client& client, const H2Head& head, bool ends) {
  return client.request(head.head, head, ends);
}

// The SETTINGS among frames that a session said: "SETTINGS 3=100; SETTINGS ACK; ".
inline std::string settings_in(std::string_view frames) {
  std::string out;
  auto number = [&](size_t at, size_t size) {
    uint32_t value = 0;
    for (unsigned char byte : frames.substr(at, size)) value = value << 8 | byte;
    return value;
  };
  for (size_t length = 0; frames.size() >= 9; frames.remove_prefix(std::min(frames.size(), 9 + length))) {
    length = number(0, 3);
    if (frames[3] != 4) continue;  // RFC 9113 section 6.5
    out += (frames[4] & 1) != 0 ? "SETTINGS ACK" : "SETTINGS";
    for (size_t at = 9; at + 6 <= std::min(frames.size(), 9 + length); at += 6)
      out += " " + std::to_string(number(at, 2)) + "=" + std::to_string(number(at + 2, 4));
    out += "; ";
  }
  return out;
}

}  // namespace waylay::http
