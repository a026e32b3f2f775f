#include "bench/micro/support_h2.h"

namespace waylay::bench {
namespace {

constexpr Time kNow{1'000 * kSecond_ns, 0};
constexpr size_t kAll = size_t{1} << 30;

class End : public http::H2Session::Handler {
 public:
  void on_head(http::H2Stream&, http::H2Head, bool) override {}
  void on_informational(http::H2Stream&, const http::Head&) override {}
  void on_body(http::H2Stream& stream, Bytes payload) override { session->consume(stream, payload.size()); }
  void on_end(http::H2Stream&, const http::Trailers*) override {}
  void on_sent(http::H2Stream&) override {}
  void on_closed(http::H2Stream&, http::H2Code, bool) override {}
  void on_refused(std::string) override {}
  void on_settings() override {}
  void on_go_away(http::H2Code, std::string_view) override {}

  http::H2Session* session = nullptr;
};

http::Head response_head() {
  http::Head head = http::Head::http2_response(200);
  head.add("server", "nginx/1.22.1");
  head.add("date", "Sun, 22 Nov 2026 12:00:00 GMT");
  head.add("content-type", "application/json");
  head.add("content-length", "1024");
  head.add("last-modified", "Sun, 22 Nov 2026 11:59:00 GMT");
  head.add("etag", "\"6921a5e4-400\"");
  head.add("accept-ranges", "bytes");
  return head;
}

}  // namespace

class H2Ends::AtClient final : public End {
 public:
  void on_end(http::H2Stream&, const http::Trailers*) override { ++answered; }
  size_t asked = 0, answered = 0;
};

class H2Ends::AtOrigin final : public End {
 public:
  void on_end(http::H2Stream& stream, const http::Trailers*) override {
    server->respond(stream, head_, {}, false);
    server->write(stream, as_bytes(body_));
    server->end(stream);
  }
  http::H2Server* server = nullptr;

 private:
  http::Head head_ = response_head();
  std::string body_ = std::string(1024, 'x');
};

H2Ends::H2Ends()
    : at_client_(std::make_unique<AtClient>()),
      at_origin_(std::make_unique<AtOrigin>()),
      client_(std::make_unique<http::H2Client>(*at_client_, http::kStreamWindow)),
      origin_(std::make_unique<http::H2Server>(*at_origin_)),
      request_(http::Head::http2_request("GET", "/small.json")) {
  at_client_->session = client_.get();
  at_origin_->session = at_origin_->server = origin_.get();
  request_.add("host", "origin.test");
  request_.add("user-agent", "h2load nghttp2/1.52.0");
  extras_.scheme = "https";
}

H2Ends::~H2Ends() = default;

void H2Ends::ask(size_t streams) {
  at_client_->asked += streams;
  for (size_t i = 0; i < streams; ++i) client_->request(request_, extras_, true);
}

bool H2Ends::all_answered() const {
  return at_client_->answered == at_client_->asked;
}

void H2Ends::client_receives(Bytes bytes) {
  client_->receive(bytes, kNow);
}
void H2Ends::origin_receives(Bytes bytes) {
  origin_->receive(bytes, kNow);
}
void H2Ends::pull_client(ByteQueue& out) {
  client_->pull(out, kAll);
}
void H2Ends::pull_origin(ByteQueue& out) {
  origin_->pull(out, kAll);
}

}  // namespace waylay::bench
