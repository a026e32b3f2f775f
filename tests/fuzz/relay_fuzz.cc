// Two hostile peers on both sides of one relay, in plaintext: any bytes in any pieces, ends and resets at any time,
// under a few rules.
//
// Must hold: what a side gets is a head (as it came, edited, or ours) or bytes that the other side has sent; nothing is
// written to a client that was closed; an upstream is asked for only when there is none; what waits for a slow client
// is bounded; when both sides have ended, the relay has, and each exchange was recorded once.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/check.h"
#include "flow/h1_relay.h"

namespace waylay::flow {
namespace {

constexpr size_t kBehind = 4 * 1024;
constexpr size_t kMostWaiting = 64 * 1024;  // kBehind, what one call may add, and one of our answers
constexpr int64_t kLongest_ns = 60 * kSecond_ns;

constexpr auto kRules = std::to_array<std::string_view>({
    R"([])",
    R"([{"name": "status", "match": "http.response.code == 200", "status": 429, "headers": {"set": {"x-set": "1"}}}])",
    R"([{"name": "unstatus", "match": "http.response.code != 200", "status": 200}])",
    R"([{"name": "mock", "match": "http.request.uri contains \"m\"", "respond": {"status": 503, "body": "busy"}}])",
    R"([{"name": "swap", "match": "http.response.code == 200", "respond": {"status": 418, "body": "tea"}}])",
    R"([{"name": "slow", "match": "", "delay": "2s"},)"
    R"({"name": "cut", "match": "http.request.method == \"PUT\"", "abort": "rst"}])",
    R"([{"name": "later", "match": "http.response.code >= 200", "delay": "2s", "headers": {"set": {"x-late": "1"}}}])",
    R"([{"name": "held", "match": "http.request.method == \"GET\"", "delay": "2s",)"
    R"("respond": {"status": 200, "body": "ok"}}])",
    R"([{"name": "edit", "match": "", "request_headers": {"add": {"x-added": "1"}}},)"
    R"({"name": "strip", "match": "", "headers": {"remove": ["x-added"]}}])",
    R"([{"name": "dribble", "match": "", "throttle": {"up": "100B", "down": "50B"}, "chunk_delay": "1s"}])",
    R"([{"name": "cut", "match": "", "abort": {"how": "rst", "after_bytes": 5}}])",
    R"([{"name": "end", "match": "http.request.method == \"GET\"", "abort": {"how": "fin", "after_bytes": 2}},)"
    R"({"name": "early", "match": "", "abort": "fin"}])",
    R"([{"name": "chunk", "match": "", "abort": "bad-chunk", "throttle": {"down": "1KiB"}}])",
    R"([{"name": "length", "match": "", "abort": "wrong-length"}])",
    R"([{"name": "still", "match": "", "abort": {"how": "stall", "after_bytes": 3, "for": "10s"}}])",
    R"([{"name": "mute", "match": "http.request.method == \"GET\"", "abort": "stall"}])",
    R"([{"name": "last", "match": "", "abort": "goaway"}])",
    R"([{"name": "away", "match": "http.request.uri contains \"m\"", "upstream": {"host": "192.0.2.1", "port": 1}}])",
    R"([{"name": "look", "match": "body.text contains \"a\"", "respond": {"status": 403, "body": "no"}},)"
    R"({"name": "see", "match": "response.body.text contains \"a\"", "delay": "1s", "status": 500}])",
    R"([{"name": "write", "match": "", "request_body": [{"regex": "a", "with": "b"}]},)"
    R"({"name": "rewrite", "match": "", "body": [{"regex": "a", "with": "b"}]}])",
});

constexpr size_t kRulesThatForward = 9;

rules::RuleBook& book(size_t index) {
  static std::array<rules::RuleBook, kRules.size()> books;
  static const bool filled = [] {
    for (size_t i = 0; i < kRules.size(); ++i) CHECK(books[i].replace(kRules[i], "fuzz", Time{}));
    return true;
  }();
  CHECK(filled);
  return books[index];
}

struct Counting final : Recorder {
  void flow_changed(const std::shared_ptr<const FlowFacts>&) override {}
  void exchange_ended(const ExchangeFacts& facts) override {
    CHECK(facts.end != ExchangeEnd::Open);
    ++exchanges;
  }
  uint32_t exchanges = 0;
};

// One side's bytes: what it will send, and what it has sent so far.
struct Peer {
  std::string all;
  size_t sent = 0;
  bool ended = false;

  // A copy, so that the sanitizer finds a span that is kept beyond its call.
  std::string take(size_t size) {
    std::string piece = all.substr(sent, size);
    sent += piece.size();
    return piece;
  }
  bool has_said(std::string_view bytes) const {
    return std::string_view(all).substr(0, sent).find(bytes) != std::string_view::npos;
  }
};

class Relayed final : private Relay::Link {
 public:
  explicit Relayed(FuzzedDataProvider& choices)
      : choices_(choices),
        lazy_(choices.ConsumeBool()),
        rules_(choices.ConsumeIntegralInRange<size_t>(0, kRules.size() - 1)),
        relay_({link(),
                book(rules_),
                recorder_,
                identifiers_,
                std::make_shared<const FlowFacts>(),
                {.lazy = lazy_, .error_page = choices.ConsumeBool()}}) {
    client_.all = choices.ConsumeRandomLengthString(8192);
    upstream_.all = choices.ConsumeRandomLengthString(8192);
    if (!lazy_) become_ready();
  }

  void run() {
    for (int step = 0; step < 500 && choices_.remaining_bytes() > 0; ++step) act();
    finish();
    CHECK(client_closed_);
    CHECK(relay_.idle());
    CHECK(recorder_.exchanges == relay_.exchanges());
  }

 private:
  Relay::Link& link() { return *this; }

  void act() {
    switch (choices_.ConsumeIntegralInRange(0, 11)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return client_sends(choices_.ConsumeIntegralInRange<size_t>(1, 100));
      case 4:
      case 5:
      case 6:
        return upstream_sends(choices_.ConsumeIntegralInRange<size_t>(1, 100));
      case 7:
        return pass_time(choices_.ConsumeIntegralInRange<int64_t>(0, 3 * kSecond_ns));
      case 8:
        return answer_wish();
      case 9:
        return client_reads();
      case 10:
        return end_client(choices_.ConsumeBool());
      default:
        return end_upstream(choices_.ConsumeBool(), choices_.ConsumeBool());
    }
  }

  // Everything is said, read and waited for; then both sides end.
  void finish() {
    for (bool moved = true; moved && !client_closed_;) {
      size_t before = client_.sent + upstream_.sent;
      client_reads();
      answer_wish();
      client_sends(client_.all.size());
      upstream_sends(upstream_.all.size());
      pass_time(kLongest_ns);
      moved = client_.sent + upstream_.sent != before;
    }
    end_client(false);
    answer_wish();
    pass_time(kLongest_ns);
    end_upstream(true, false);
    for (int i = 0; i < 4 + static_cast<int>(client_.all.size() / 16);
         ++i) {  // pipelined requests, each wants one more
      client_reads();
      answer_wish();
      pass_time(kLongest_ns);
      end_upstream(true, false);
    }
    if (!as_it_came()) end_client(true);  // a stall lasts until a side is gone for good
  }

  void client_sends(size_t size) {
    if (client_closed_ || client_.ended || !relay_.wants_client_bytes()) return;
    std::string piece = client_.take(size);
    if (!piece.empty()) relay_.on_client_bytes(as_bytes(piece), now_);
  }
  void upstream_sends(size_t size) {
    if (client_closed_ || !ready_ || client_is_behind() || !relay_.wants_upstream_bytes()) return;
    std::string piece = upstream_.take(size);
    if (!piece.empty()) relay_.on_upstream_bytes(as_bytes(piece), now_);
  }
  void pass_time(int64_t time_ns) {
    now_.steady_ns += time_ns;
    if (client_closed_) return;
    std::optional<int64_t> deadline_ns = relay_.deadline_ns();
    if (deadline_ns && *deadline_ns <= now_.steady_ns) relay_.on_time(now_);
  }
  void client_reads() {
    waiting_ = 0;
    if (!client_closed_) relay_.on_writable(now_);
  }
  void answer_wish() {
    if (!std::exchange(wanted_, false)) return;
    if (choices_.remaining_bytes() > 0 && choices_.ConsumeBool())
      return relay_.on_upstream_end(false, Error::upstream(ErrorKind::System, "refused"), now_);
    become_ready();
  }
  void become_ready() {
    ready_ = true;
    relay_.on_upstream_ready(now_);
  }
  void end_client(bool reset) {
    if (client_closed_ || (client_.ended && !reset)) return;
    client_.ended = true;
    relay_.on_client_end(reset, now_);
  }
  void end_upstream(bool clean, bool error) {
    if (client_closed_ || !ready_) return;
    ready_ = false;
    std::optional<Error> why;
    if (error) why = Error::upstream(ErrorKind::System, "reset");
    relay_.on_upstream_end(clean && !error, std::move(why), now_);
  }

  // The rules behind these frame bodies anew, or edit them: what they send, flow tests and the simulation hold.
  bool as_it_came() const { return rules_ < kRulesThatForward; }

  // Heads may be edited, too.
  static bool is_ours(std::string_view text) {
    return text.starts_with("HTTP/1.") || text.starts_with("waylay ") || text == "busy" || text == "tea" ||
           text == "ok";
  }

  // Relay::Link
  bool client_is_behind() const override { return waiting_ >= kBehind; }
  bool upstream_is_behind() const override { return false; }
  void to_client(Bytes plaintext) override {
    CHECK(!client_closed_);
    CHECK(!as_it_came() || is_ours(as_text(plaintext)) || upstream_.has_said(as_text(plaintext)));
    waiting_ += plaintext.size();
    CHECK(waiting_ <= kMostWaiting);
  }
  void to_upstream(Bytes plaintext) override {
    bool is_head = as_text(plaintext).find(" HTTP/1.") != std::string_view::npos;
    CHECK(!as_it_came() || is_head || client_.has_said(as_text(plaintext)));
  }
  void need_upstream(const rules::Redirect*) override {
    CHECK(!ready_ && !wanted_ && !client_closed_);
    wanted_ = true;
  }
  void close_client(bool) override { client_closed_ = true; }
  void reset_client() override { client_closed_ = true; }
  void shutdown_upstream() override {}
  void call_handler(uint64_t, std::shared_ptr<const rules::Handler>, std::string) override {}
  void cancel_handler(uint64_t) override {}
  void close_upstream(bool) override { ready_ = wanted_ = false; }

  FuzzedDataProvider& choices_;
  Counting recorder_;
  Identifiers identifiers_;
  Peer client_, upstream_;
  Time now_{kSecond_ns, 0};
  size_t waiting_ = 0;  // for the client
  bool ready_ = false, wanted_ = false, client_closed_ = false;
  const bool lazy_;
  const size_t rules_;  // which of kRules
  H1Relay relay_;
};

}  // namespace
}  // namespace waylay::flow

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzedDataProvider choices(data, size);
  waylay::flow::Relayed(choices).run();
  return 0;
}
