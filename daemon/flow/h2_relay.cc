#include "flow/h2_relay.h"

#include <algorithm>

namespace waylay::flow {
namespace {

// Taken from a session at a time: four TLS records.
constexpr size_t kBatch = 64 * 1024;
// Frames without body that wait for a peer who does not read: answers to PING and SETTINGS, heads, resets. Above this
// nothing more is received from it.
constexpr size_t kQueuedFrames = 1'000;
// For an upstream's first SETTINGS: several times around the earth, and less than what clients wait for ours.
constexpr int64_t kSettings_ns = kSecond_ns;

H2Exchange& exchange_of(http::H2Stream& stream) {
  return *static_cast<H2Exchange*>(stream.context);
}

}  // namespace

class H2Relay::ClientEnd final : public http::H2Session::Handler {
 public:
  explicit ClientEnd(H2Relay& relay) : relay_(relay) {}

  void on_head(http::H2Stream& stream, http::H2Head head, bool ends) override {
    relay_.begin(stream, std::move(head), ends);
  }
  void on_informational(http::H2Stream&, const http::Head&) override {}  // a client makes none
  void on_body(http::H2Stream& stream, Bytes payload) override {
    H2Exchange& exchange = exchange_of(stream);
    exchange.on_request_body(payload, relay_.now_);
    relay_.settle(exchange);
  }
  void on_end(http::H2Stream& stream, const http::Trailers* trailers) override {
    H2Exchange& exchange = exchange_of(stream);
    exchange.on_request_end(trailers, relay_.now_);
    relay_.settle(exchange);
  }
  void on_sent(http::H2Stream& stream) override { relay_.go_on(exchange_of(stream)); }
  void on_closed(http::H2Stream& stream, http::H2Code code, bool by_peer) override {
    H2Exchange& exchange = exchange_of(stream);
    exchange.on_client_closed(code, by_peer, relay_.now_);
    relay_.settle(exchange);
  }
  void on_refused(std::string why) override { relay_.refused(std::move(why)); }
  void on_settings() override {
    if (!std::exchange(relay_.client_settings_came_, true)) relay_.start_upstream();
  }
  void on_go_away(http::H2Code, std::string_view) override {}  // it ends by itself when its streams have

 private:
  H2Relay& relay_;
};

class H2Relay::UpstreamEnd final : public http::H2Session::Handler {
 public:
  explicit UpstreamEnd(H2Relay& relay) : relay_(relay) {}

  void on_head(http::H2Stream& stream, http::H2Head head, bool ends) override {
    H2Exchange& exchange = exchange_of(stream);
    exchange.on_response_head(std::move(head), ends, relay_.now_);
    relay_.settle(exchange);
  }
  void on_informational(http::H2Stream& stream, const http::Head& head) override {
    H2Exchange& exchange = exchange_of(stream);
    exchange.exchange()->on_informational(head, relay_.now_);
  }
  void on_body(http::H2Stream& stream, Bytes payload) override {
    H2Exchange& exchange = exchange_of(stream);
    exchange.on_response_body(payload, relay_.now_);
    relay_.settle(exchange);
  }
  void on_end(http::H2Stream& stream, const http::Trailers* trailers) override {
    H2Exchange& exchange = exchange_of(stream);
    exchange.on_response_end(trailers, relay_.now_);
    relay_.settle(exchange);
  }
  void on_sent(http::H2Stream& stream) override { relay_.go_on(exchange_of(stream)); }
  void on_closed(http::H2Stream& stream, http::H2Code code, bool by_peer) override {
    H2Exchange& exchange = exchange_of(stream);
    exchange.on_upstream_closed(code, by_peer, relay_.now_);
    relay_.settle(exchange);
  }
  void on_refused(std::string) override {}  // of a server's end only
  void on_settings() override {
    relay_.silent_until_ns_.reset();
    relay_.sides_.client->mirror(relay_.sides_.upstream->peer_settings());
  }
  // An error ends its connection (RFC 9113 section 6.8): some clients look at which, such as gRPC's for too many pings.
  void on_go_away(http::H2Code code, std::string_view debug) override {
    relay_.sides_.upstream_leaves = true;
    relay_.leave(code != http::H2Code::NoError, code, debug);
  }

 private:
  H2Relay& relay_;
};

H2Relay::H2Relay(Context context)
    : Relay(std::move(context)),
      client_end_(std::make_unique<ClientEnd>(*this)),
      upstream_end_(std::make_unique<UpstreamEnd>(*this)),
      sides_{link_, flow_, nullptr, nullptr} {
  sides_.may_connect = options_.lazy;
}

H2Relay::~H2Relay() = default;

// --- Events ---

void H2Relay::on_client_bytes(Bytes plaintext, Time now) {
  if (closed_) return;
  now_ = now;
  start_client(std::nullopt);
  sides_.client->receive(plaintext, now);
  run();
}

// HTTP/2 knows no half-closed connection: whoever closes has taken all that it wants.
void H2Relay::on_client_end(bool was_reset, Time now) {
  if (closed_) return;
  now_ = now;
  abandon_all(was_reset ? "the client reset the connection" : "the client closed the connection");
  if (was_reset) return reset();
  if (sides_.upstream) sides_.upstream->go_away(http::H2Code::NoError);
  flush();
  close(true);
}

void H2Relay::on_upstream_ready(Time now) {
  if (closed_) return;
  now_ = now;
  sides_.upstream_ready = true;
  if (client_settings_came_) start_upstream();
  run();
}

void H2Relay::on_handler_answer(uint64_t exchange, Result<hook::Answer> answer, Time now) {
  if (closed_) return;
  now_ = now;
  for_each([&](H2Exchange& each) {
    bool asked = each.exchange() && each.exchange()->id() == exchange;
    if (asked) each.exchange()->on_handler_answer(std::move(answer), now);
  });
  run();
}

void H2Relay::on_upstream_bytes(Bytes plaintext, Time now) {
  if (closed_) return;
  now_ = now;
  if (sides_.upstream) {
    sides_.upstream->receive(plaintext, now);
  } else {
    early_.append(plaintext);
    if (std::optional<http::H2Settings> settings = http::peek_settings(early_.bytes())) start_client(settings);
  }
  run();
}

void H2Relay::on_upstream_end(bool, std::optional<Error> error, Time now) {
  if (closed_) return;
  now_ = now;
  bool was_reset = error.has_value();
  Error why = error ? std::move(*error) : Error::upstream(ErrorKind::Truncated, "the upstream closed the connection");
  sides_.upstream_ready = sides_.upstream_asked = sides_.upstream_leaves = false;
  early_.clear();
  std::unique_ptr<http::H2Client> gone = std::move(sides_.upstream);  // its streams live until all were told
  for_each(
      [&](H2Exchange& exchange) { exchange.on_upstream_lost(was_reset ? Ending::Reset : Ending::Cut, why, now_); });
  if (!options_.lazy && sides_.upstream_is.empty()) leave(true);
  run();
}

void H2Relay::on_time(Time now) {
  if (closed_) return;
  now_ = now;
  for_each([&](H2Exchange& exchange) { exchange.on_time(now_); });
  run();
}

void H2Relay::on_writable(Time now) {
  if (closed_) return;
  now_ = now;
  run();
}

void H2Relay::on_no_more_upstreams(Time now) {
  if (closed_) return;
  now_ = now;
  options_.lazy = sides_.may_connect = false;
  if (!sides_.upstream_ready && !sides_.upstream_asked) leave(false);
  run();
}

bool H2Relay::wants_client_bytes() const {
  return !closed_ && (!sides_.client || sides_.client->queued_frames() < kQueuedFrames);
}
bool H2Relay::wants_upstream_bytes() const {
  if (closed_) return false;
  return sides_.upstream ? sides_.upstream->queued_frames() < kQueuedFrames : early_.size() < kBatch;
}

std::optional<int64_t> H2Relay::deadline_ns() const {
  std::optional<int64_t> first = silent_until_ns_;
  for (const std::unique_ptr<H2Exchange>& open : exchanges_open_) {
    std::optional<int64_t> next = open->deadline_ns();
    if (next) first = std::min(first.value_or(*next), *next);
  }
  return first;
}

// --- Exchanges ---

template <class Event>
void H2Relay::for_each(const Event& event) {
  for (size_t i = 0; i < exchanges_open_.size();) {
    H2Exchange* exchange = exchanges_open_[i].get();
    event(*exchange);
    settle(*exchange);
    if (i < exchanges_open_.size() && exchanges_open_[i].get() == exchange) ++i;  // else another one has its place
  }
}

void H2Relay::begin(http::H2Stream& stream, http::H2Head head, bool ends) {
  exchanges_open_.push_back(std::make_unique<H2Exchange>(sides_, stream));
  H2Exchange& exchange = *exchanges_open_.back();
  exchange.index = exchanges_open_.size() - 1;
  stream.context = &exchange;
  exchange.begin(begin_exchange(), std::move(head), ends, now_);
  settle(exchange);
}

// Either end of it has room again.
void H2Relay::go_on(H2Exchange& exchange) {
  if (exchange.exchange()) exchange.exchange()->on_writable(now_);
  settle(exchange);
}

// After every event of an exchange. It may be gone then.
void H2Relay::settle(H2Exchange& exchange) {
  exchange.settle(now_);
  if (Exchange* inner = exchange.exchange(); inner != nullptr && inner->ending()) {
    Ending ending = *inner->ending();
    if (ending == Ending::GoAway) leave(true);
    if (ending == Ending::Fin || ending == Ending::BadFraming) ending_ = ending;
  }
  if (!exchange.finish(now_)) return;
  size_t index = exchange.index;
  std::swap(exchanges_open_[index], exchanges_open_.back());
  exchanges_open_[index]->index = index;
  exchanges_open_.pop_back();
}

// A request that never became an exchange is in the ledger all the same.
void H2Relay::refused(std::string why) {
  Exchange::Context context = begin_exchange();
  ExchangeFacts facts;
  facts.id = context.id;
  facts.flow = flow_;
  facts.started = facts.ended = now_;
  facts.rules_version = context.rules->version();
  facts.end = ExchangeEnd::Refused;
  facts.error = std::move(why);
  context.recorder.exchange_ended(facts);
}

// Its windows are those that the client gives: what nobody will read is not asked for.
void H2Relay::start_upstream() {
  if (!sides_.upstream_ready || sides_.upstream) return;
  sides_.upstream_asked = false;
  sides_.upstream = std::make_unique<http::H2Client>(*upstream_end_, sides_.client->peer_initial_window());
  for_each([&](H2Exchange& exchange) {
    if (exchange.exchange()) exchange.exchange()->on_upstream_ready(now_);
  });
}

// Clients need not expect that a server says SETTINGS twice, and some look at the first ones alone. What it asks goes
// on meanwhile.
void H2Relay::start_client(const std::optional<http::H2Settings>& mirrored) {
  if (sides_.client) return;
  sides_.client = std::make_unique<http::H2Server>(*client_end_);
  if (mirrored) sides_.client->mirror(*mirrored);
  if (!mirrored) silent_until_ns_ = now_.steady_ns + kSettings_ns;
}

// No request more is wanted of the client.
void H2Relay::leave(bool at_once, http::H2Code code, std::string_view debug) {
  start_client(std::nullopt);
  sides_.client->shut_down(at_once, code, debug);
}

// --- Behind every event ---

void H2Relay::run() {
  if (std::exchange(sides_.left, nullptr)) early_.clear();
  if (!sides_.client) return;  // nobody has said anything yet
  if (sides_.upstream && !early_.empty()) {
    sides_.upstream->receive(early_.bytes(), now_);
    early_.clear();
  }
  flush();
  if (ending_) return carry_out_ending();
  if (sides_.upstream && (sides_.upstream->failure() || sides_.upstream->over())) end_upstream();
  if (!closed_ && (sides_.client->failure() || sides_.client->over())) end_client();
}

// What one side gets may open the other's window, so until neither has anything to say.
void H2Relay::flush() {
  for (bool moved = true; moved;) {
    moved = flush_client();
    moved = flush_upstream() || moved;
  }
}

bool H2Relay::waits_for_settings() const {
  bool may_come = sides_.upstream_ready && !sides_.client->failure();
  return silent_until_ns_ && may_come && now_.steady_ns < *silent_until_ns_;
}

bool H2Relay::flush_client() {
  if (!sides_.client || waits_for_settings()) return false;
  silent_until_ns_.reset();
  if (link_.client_is_behind() || !sides_.client->wants_pull()) return false;
  sides_.client->pull(output_, kBatch);
  if (output_.empty()) return false;
  link_.to_client(output_.bytes());
  output_.clear();
  return true;
}

bool H2Relay::flush_upstream() {
  if (!sides_.upstream || link_.upstream_is_behind() || !sides_.upstream->wants_pull()) return false;
  sides_.upstream->pull(output_, kBatch);
  if (output_.empty()) return false;
  link_.to_upstream(output_.bytes());
  output_.clear();
  return true;
}

// It has gone away in order, or has broken HTTP/2's rules.
void H2Relay::end_upstream() {
  std::string why = sides_.upstream->failure() ? sides_.upstream->failure()->message : "the upstream went away";
  sides_.upstream_ready = sides_.upstream_leaves = false;
  std::unique_ptr<http::H2Client> gone = std::move(sides_.upstream);
  link_.close_upstream(false);
  for_each([&](H2Exchange& exchange) { exchange.on_upstream_refused(why, now_); });
  if (!options_.lazy && sides_.upstream_is.empty()) leave(true);
  flush();
}

void H2Relay::end_client() {
  if (sides_.client->failure()) {
    refused(sides_.client->failure()->message);
    abandon_all("the client broke HTTP/2: " + sides_.client->failure()->message);
  }
  if (sides_.upstream) sides_.upstream->go_away(http::H2Code::NoError);
  flush();
  close(true);
}

// A rule's wish: the whole connection ends, its other streams with it.
void H2Relay::carry_out_ending() {
  bool broken = *ending_ == Ending::BadFraming;
  abandon_all("a rule ended the connection");
  if (broken) link_.to_client(as_bytes("this is no frame\r\n"));
  close(true);
}

// --- Ends ---

void H2Relay::abandon_all(const std::string& why) {
  for_each([&](H2Exchange& exchange) { exchange.abandon(why, now_); });
}

void H2Relay::close(bool with_close_notify) {
  closed_ = true;
  link_.close_upstream(false);
  link_.close_client(with_close_notify);
}

void H2Relay::reset() {
  closed_ = true;
  link_.close_upstream(true);
  link_.reset_client();
}

}  // namespace waylay::flow
