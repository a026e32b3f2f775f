// Requests to the control API, in pieces, against a backend of plain vectors. Every answer must be HTTP that our own
// reader takes, with JSON where it says so, and a connection that is not answered must wait or be closed.
//
// The input's first byte seeds the split; the rest is what a client sends.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "control/connection.h"
#include "http/h1.h"
#include "tests/unit/control/fake_backend.h"

namespace waylay::control {
namespace {

// Takes what the connection wants to send, a little at a time, as a slow client would. A stream never ends: enough of
// it.
std::string drain(Connection& connection, Time time) {
  std::string bytes;
  while (!connection.output().empty() && bytes.size() < 4 * 1024 * 1024) {
    size_t size = std::min<size_t>(connection.output().size(), 8192);
    bytes += connection.output().text().substr(0, size);
    connection.on_sent(size, time);
  }
  return bytes;
}

void check_answers(const std::string& bytes) {
  using Event = http::H1Reader::Event;
  http::H1Reader reader(http::Kind::Response, Side::Upstream);
  reader.answer_to("GET");
  reader.put(as_bytes(bytes));
  std::string body;
  bool is_json = false, has_length = false;
  for (;;) {
    switch (reader.next()) {
      case Event::Head:
        body.clear();
        is_json = reader.head().first("content-type") == "application/json";
        has_length = reader.body_length().type == http::BodyLength::Type::Fixed;
        break;
      case Event::Body:
        body += as_text(reader.payload());
        break;
      case Event::End:
        if (is_json && has_length) CHECK(!nlohmann::json::parse(body, nullptr, false).is_discarded());
        if (reader.head().status() != 100) reader.answer_to("GET");
        break;
      case Event::Failed:
        CHECK(false);
      case Event::NeedMore:
      case Event::Tunnel:
        return;
    }
  }
}

}  // namespace
}  // namespace waylay::control

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  waylay::log::set_level(waylay::log::Level::Error);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace waylay;
  using namespace waylay::control;
  if (size < 1) return 0;
  std::minstd_rand random(data[0] + 1u);
  Bytes input = as_bytes(data + 1, size - 1);
  bool asks_head = as_text(input).find("HEAD") != std::string_view::npos;  // its answers have a length and no body

  FakeBackend backend;
  for (uint64_t id = 1; id <= 3; ++id) backend.add_exchange(id, "a.example", 200);
  backend.add_passthrough(7, "pinned.example", "refused", 2);
  Feed feed;
  Context context{backend, feed};
  Time time{kSecond_ns, kSecond_ns};
  Connection connection(context, "fuzz", time);
  std::string sent;
  while (!input.empty()) {
    size_t piece = std::min<size_t>(input.size(), 1 + random() % 200);
    connection.on_bytes(input.first(piece), time);
    input = input.subspan(piece);
    if (random() % 4 == 0) {
      feed.publish(backend.kept_exchanges.front());
      feed.deliver();
      connection.on_events(time);
    }
    sent += drain(connection, time);
  }
  connection.on_eof(time);
  sent += drain(connection, time);
  if (!asks_head) check_answers(sent);
  connection.on_time({time.steady_ns + 2 * Connection::kIdleLimit_ns, 0});
  return 0;
}
