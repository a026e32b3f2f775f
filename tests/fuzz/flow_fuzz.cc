// One whole flow: the bytes and the events of both its sides come from the input, with real TLS at both ends, under a
// rule set of every kind of action. What the ends say is plain bytes, or bytes in the form of HTTP/1.1 and HTTP/2, so
// that the fuzzer need not find out what a frame is; raw bytes go into the flow beside TLS as well.
//
// Must hold: what waits for a side is bounded; no upstream is asked for while there is one; a leaf is asked for once;
// bytes are counted right; each exchange is recorded once, and ended; what is passed through arrives as it was sent;
// when both sides have ended and time has passed, the flow has ended.
//
// Input: four bytes of choices (rules, protocols, settings), then operations, a byte each with what belongs to it.
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <list>
#include <string>
#include <vector>

#include "flow/flow.h"
#include "tests/support/h2_frame.h"
#include "tests/support/seeded_openssl.h"
#include "tls/ca.h"

namespace waylay::flow {
namespace {

using http::h2_field;
using http::h2_frame;

// The flow calls a side behind at 256 KiB; on top come a receive buffer's plaintext, and answers of ours.
constexpr size_t kMostWaiting = 1024 * 1024;
constexpr int64_t kLongest_ns = 400 * kSecond_ns;

struct RuleChoice {
  std::string_view json;
  bool slow = false;  // it may take its time until a side is gone for good
};
constexpr auto kRules = std::to_array<RuleChoice>({
    {R"([])"},
    {R"([{"name": "status", "match": "http.response.code == 200", "status": 429, "headers": {"set": {"x-set": "1"}}}])"},
    {R"([{"name": "unstatus", "match": "http.response.code != 200", "status": 200, "reason": "Fine"}])"},
    {R"([{"name": "mock", "match": "http.request.uri contains \"m\"", "respond": {"status": 503, "body": "busy"}}])"},
    {R"([{"name": "swap", "match": "http.response.code == 200", "respond": {"status": 418, "body": "tea"}}])"},
    {R"([{"name": "slow", "match": "", "delay": "2s"}, {"name": "cut", "match": "http.request.method == \"PUT\"", "abort": "rst"}])"},
    {R"([{"name": "later", "match": "http.response.code >= 200", "delay": {"uniform": ["1s", "2s"]}}])"},
    {R"([{"name": "edit", "match": "", "request_headers": {"add": {"x-added": "1"}}},
         {"name": "strip", "match": "", "headers": {"remove": ["x-a"]}}])"},
    {R"([{"name": "dribble", "match": "", "throttle": {"up": "100B", "down": "50B"}, "chunk_delay": "1s"}])", true},
    {R"([{"name": "cut", "match": "", "abort": {"how": "rst", "after_bytes": 5}}])"},
    {R"([{"name": "end", "match": "", "abort": {"how": "fin", "after_bytes": 2}}])"},
    {R"([{"name": "chunk", "match": "", "abort": "bad-chunk", "throttle": {"down": "1KiB"}}])", true},
    {R"([{"name": "length", "match": "", "abort": "wrong-length"}])"},
    {R"([{"name": "still", "match": "", "abort": {"how": "stall", "after_bytes": 3, "for": "10s"}}])"},
    {R"([{"name": "mute", "match": "http.request.uri contains \"m\"", "abort": "stall"}])", true},
    {R"([{"name": "last", "match": "", "abort": "goaway"}])"},
    {R"([{"name": "away", "match": "http.request.uri contains \"m\"", "upstream": {"host": "192.0.2.1", "port": 1}}])"},
    {R"([{"name": "look", "match": "body.text contains \"a\"", "respond": {"status": 403, "body": "no"}},
         {"name": "see", "match": "response.body.text contains \"a\"", "delay": "1s", "status": 500}])"},
    {R"([{"name": "write", "match": "", "request_body": [{"regex": "a", "with": "b"}]},
         {"name": "rewrite", "match": "", "body": [{"regex": "a", "with": "b"}]}])"},
    {R"([{"name": "aws", "match": "", "fault": "aws:throttle", "every": 2}])"},
    {R"([{"name": "hook", "match": "", "handler": {"url": "http://127.0.0.1:9000"}}])"},
    {R"([{"name": "after", "match": "", "handler": {"url": "http://127.0.0.1:9000", "phase": "response", "fail": "open"}}])"},
    {R"([{"name": "busy", "match": "", "rate_limit": {"rate": "1/s", "burst": 1}}])"},
    {R"([{"name": "pass", "match": "ip.dst == 192.0.2.10", "passthrough": true}])"},
    {R"([{"name": "no", "match": "ip.dst == 192.0.2.10", "block": "rst"}])"},
    {R"([{"name": "alert", "match": "ip.dst == 192.0.2.10", "tls": {"alert": "handshake_failure", "delay": "1s"}}])"},
    {R"([{"name": "old", "match": "ip.dst == 192.0.2.10", "tls": {"certificate": "expired"}}])"},
    {R"([{"name": "there", "match": "ip.dst == 192.0.2.10", "upstream": {"host": "192.0.2.2", "port": 2}}])"},
});

template <class T>
T must(Result<T> result) {
  if (!result) fprintf(stderr, "%s\n", result.error().message.c_str());
  CHECK(result);
  return std::move(*result);
}

// Dear to make, and the same for all inputs.
struct World {
  World() {
    seed_openssl(0);
    for (Authority* each : {&origin, &ours}) {
      each->authority.emplace(must(tls::CertificateAuthority::make({.host = "fuzz"}, now())));
      auto minter = must(tls::LeafMinter::create(must(each->authority->certificate_pem())));
      tls::UnsignedLeaf prepared = must(minter->prepare({"origin.test"}, now()));
      std::vector<std::byte> signature = must(each->authority->sign(prepared.tbs()));
      each->leaf = must(minter->finish(std::move(prepared), signature));
      tls::UpstreamOptions options;
      options.use_system_roots = false;
      options.extra_roots_pem = must(each->authority->certificate_pem());
      each->trusting.emplace(must(tls::UpstreamContext::create(options)));
      each->serving.emplace(must(tls::ClientContext::create(must(tls::TicketKeys::make(now())))));
    }
  }
  struct Authority {
    std::optional<tls::CertificateAuthority> authority;
    std::shared_ptr<const tls::Leaf> leaf;
    std::optional<tls::UpstreamContext> trusting;
    std::optional<tls::ClientContext> serving;
  } origin, ours;
};

World& world() {
  static World made;
  return made;
}

class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const { return rest_.empty(); }
  uint8_t byte() {
    if (rest_.empty()) return 0;
    auto value = static_cast<uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    return value;
  }
  std::string text() {  // as long as its first byte says
    std::string taken(rest_.substr(0, byte()));
    rest_.remove_prefix(taken.size() > rest_.size() ? rest_.size() : taken.size());
    return taken;
  }
  template <class T, size_t size>
  const T& one_of(const T (&all)[size]) {
    return all[byte() % size];
  }

 private:
  std::string_view rest_;
};

// A side as the shell keeps it.
struct Side {
  ByteQueue coming;  // written by the peer
  std::optional<tls::Channel> channel;
  std::string given, got;  // to the flow, from it: as they passed, TLS and all
  bool fin = false;
  uint32_t next_stream = 1;
};
struct Origin : Side {
  UpstreamId id = 0;
  bool open = false;
};
struct Wish {
  enum class Kind : uint8_t { Leaf, Connect, Handler } kind;
  uint64_t id = 0;
};

class FuzzedFlow final : private Recorder {
 public:
  explicit FuzzedFlow(Input input) : input_(input), scratch_(17 * 1024) {
    seed_openssl(1);
    choice_ = &kRules[input_.byte() % kRules.size()];
    must(rules_.replace(choice_->json, "fuzz", now_));
    const std::vector<std::string> offers[] = {{"h2", "http/1.1"}, {"h2"}, {"http/1.1"}, {}, {"http/1.1", "h2"}};
    std::vector<std::string> offer = input_.one_of(offers);
    const std::string speaks[] = {"h2", "http/1.1", ""};
    origin_speaks_ = input_.one_of(speaks);
    uint8_t settings = input_.byte();
    is_tls_ = (settings & 1) == 0;
    environment_.emplace(Environment{*world().ours.serving, *world().origin.trusting, rules_, rejections_, protocols_,
                                     *this, identifiers_, std::span<std::byte>(scratch_), (settings & 2) != 0});
    FlowFacts facts;
    facts.target = 1;
    facts.owner.pid = 1;
    facts.client = *Address::parse("127.0.0.1:40000");
    facts.destination = *Address::parse("192.0.2.10:443");
    flow_.emplace(*environment_, std::move(facts), Settings{.insist = (settings & 4) != 0}, now_);
    if (!is_tls_) return;
    client_.channel.emplace(must(world().ours.trusting->connect({"origin.test", "client", offer}, &client_.coming)));
    client_.channel->start();
    if ((settings & 8) == 0) settle();
  }

  void run() {
    for (int step = 0; step < 300 && !input_.empty(); ++step) act();
    finish();
    CHECK(flow_->finished());
    CHECK(flow_->facts().exchanges == recorded_);
    CHECK(flow_->facts().bytes_from_client == client_.given.size());
    check_passed_through();
  }

 private:
  void act() {
    uint8_t operation = input_.byte();
    Side* side = (operation & 0x80) != 0 && origin_ ? &*origin_ : &client_;
    switch (operation & 0x1f) {
      case 0:
      case 1:
        return settle();
      case 2:
        return say(*side, input_.text());
      case 3:
        return say(*side, frame_of_input());
      case 4:
        return say(*side, request_or_response(*side));
      case 5:
        return say(*side, side == &client_ ? "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + h2_frame(4, 0, 0, "")
                                           : h2_frame(4, 0, 0, ""));
      case 6:
        return say(*side, h1_message(side == &client_));
      case 7:
        return side->coming.append(input_.text());  // beside TLS
      case 8:
        return give(*side, input_.byte());
      case 9:
        return take(*side, input_.byte());
      case 10:
        return end(*side);
      case 11:
        if (side->channel) side->channel->shutdown();
        return;
      case 12:
        return fail(*side);
      case 13:
        return pass_time(int64_t{input_.byte()} * 100 * kMillisecond_ns);
      case 14:
        return answer_wish(input_.byte());
      case 15:
        flow_->on_no_more_upstreams(now_);
        return after_event();
      case 16:
        if (input_.byte() % 8 == 0 && !flow_->finished()) flow_->on_detached(now_);
        return after_event();
      case 17:
        return flow_->on_owner(flow_->facts().owner);
      case 18:
        return say(*side, std::string(size_t{input_.byte()} * 100, 'a'));
      case 19:
        return say(*side, h2_frame(0, input_.byte(), input_.byte(), std::string(size_t{input_.byte()} * 64, 'a')));
      default:
        return say(*side, frame_of_input());
    }
  }

  // What the ends say.
  std::string frame_of_input() {
    uint8_t type = input_.byte() % 12, flags = input_.byte();
    uint32_t stream = input_.byte() % 16;
    return h2_frame(type, flags, stream, input_.text());
  }
  std::string request_or_response(Side& side) {
    uint8_t flags = input_.byte();
    bool chosen = (flags & 0x40) != 0;
    uint32_t stream = chosen ? input_.byte() % 16 : side.next_stream;
    if (!chosen) side.next_stream += 2;
    std::string block = &side == &client_ ? request_block() : response_block();
    const std::string_view names[] = {"x-a",     "content-length",   "te",    "cookie", "host",
                                      "trailer", "content-encoding", "expect"};
    const std::string_view values[] = {"1", "0", "5", "trailers", "gzip", "100-continue", "a=b", "origin.test"};
    for (int i = flags >> 3 & 3; i > 0; --i) {
      std::string_view name = input_.one_of(names);
      block += h2_field(name, input_.one_of(values));
    }
    return h2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | (flags & 1), stream, block);
  }
  std::string request_block() {
    const std::string_view methods[] = {"GET", "POST", "HEAD", "CONNECT", "PUT"};
    const std::string_view paths[] = {"/", "/m", "/a"};
    std::string_view method = input_.one_of(methods);
    std::string block = h2_field(":method", method) + h2_field(":authority", "origin.test");
    uint8_t shape = input_.byte();
    if (method != "CONNECT" || (shape & 1) != 0)
      block += h2_field(":scheme", "https") + h2_field(":path", input_.one_of(paths));
    if (method == "CONNECT" && (shape & 1) != 0) block += h2_field(":protocol", "websocket");
    return block;
  }
  std::string response_block() {
    const std::string_view statuses[] = {"200", "100", "103", "204", "304", "404", "503", "101"};
    return h2_field(":status", input_.one_of(statuses));
  }
  std::string h1_message(bool request) {
    const std::string_view requests[] = {"GET / HTTP/1.1\r\n", "POST /m HTTP/1.1\r\n", "HEAD /a HTTP/1.1\r\n",
                                         "CONNECT a:443 HTTP/1.1\r\n", "PUT / HTTP/1.0\r\n"};
    const std::string_view responses[] = {"HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n", "HTTP/1.1 204 No\r\n",
                                          "HTTP/1.1 101 Up\r\n", "HTTP/1.0 404 \r\n",         "HTTP/1.1 304 N\r\n"};
    const std::string_view fields[] = {"Content-Length: 5\r\n",      "Transfer-Encoding: chunked\r\n",
                                       "Upgrade: websocket\r\n",     "Connection: upgrade\r\n",
                                       "Expect: 100-continue\r\n",   "Connection: close\r\n",
                                       "Content-Encoding: gzip\r\n", "X-A: 1\r\n",
                                       "Content-Length: 0\r\n"};
    const std::string_view bodies[] = {"", "abcde", "5\r\nabcde\r\n0\r\n\r\n", "5\r\nab", "0\r\n\r\n", "\x81\x02hi"};
    std::string text(request ? input_.one_of(requests) : input_.one_of(responses));
    if (request) text += "Host: origin.test\r\n";
    for (int i = input_.byte() % 4; i > 0; --i) text += input_.one_of(fields);
    text += "\r\n";
    return text.append(input_.one_of(bodies));
  }
  void say(Side& side, const std::string& text) {
    if (side.fin) return;
    if (!side.channel) return side.coming.append(text);
    auto state = side.channel->state();
    bool can = state == tls::Channel::State::Open || state == tls::Channel::State::Closed;
    if (can && !side.channel->shutdown_sent()) (void)side.channel->write(as_bytes(text));
  }

  // The shell.
  void settle() {  // until nothing moves
    for (int i = 0; i < 1'000; ++i) {
      size_t before = moved_;
      while (!wishes_.empty()) answer_wish(1);
      give(client_, client_.coming.size());
      take(client_, flow_->to_client().size());
      if (origin_) give(*origin_, origin_->coming.size());
      if (origin_) take(*origin_, flow_->to_upstream(origin_->id).size());
      if (moved_ == before) return;
    }
  }
  void give(Side& side, size_t size) {
    bool is_client = &side == &client_;
    size = std::min(size, side.coming.size());
    if (size == 0 || side.fin || flow_->finished() || client_closed_) return;
    if (is_client ? !flow_->wants_client_bytes() : !flow_->wants_upstream_bytes(origin_->id)) return;
    // A copy, so that the sanitizer finds a span that is kept beyond its call.
    std::vector<std::byte> bytes(side.coming.bytes().begin(),
                                 side.coming.bytes().begin() + static_cast<ptrdiff_t>(size));
    side.coming.consume(size);
    side.given.append(as_text(bytes));
    moved_ += size;
    if (is_client) {
      flow_->on_client_bytes(bytes, now_);
    } else {
      flow_->on_upstream_bytes(origin_->id, bytes, now_);
    }
    after_event();
  }
  void take(Side& side, size_t size) {
    ByteQueue& queue = &side == &client_ ? flow_->to_client() : flow_->to_upstream(origin_->id);
    size = std::min(size, queue.size());
    if (size == 0) return;
    std::vector<std::byte> bytes(queue.bytes().begin(), queue.bytes().begin() + static_cast<ptrdiff_t>(size));
    queue.consume(size);
    side.got.append(as_text(bytes));
    moved_ += size;
    if (side.channel) read(*side.channel, bytes);
    if (!flow_->finished()) flow_->on_writable(now_);
    after_event();
  }
  void read(tls::Channel& channel, Bytes bytes) {
    std::vector<std::byte> scratch(17 * 1024);
    if (channel.state() == tls::Channel::State::Failed) return;
    channel.put(bytes);
    for (;;) {
      Bytes plaintext;
      tls::Channel::Event event = channel.next(scratch, plaintext);
      if (event == tls::Channel::Event::NeedMore || event == tls::Channel::Event::Failed) return;
    }
  }
  void end(Side& side) {
    if (side.fin || flow_->finished()) return;
    side.fin = true;
    if (&side == &client_) {
      flow_->on_client_eof(now_);
    } else if (origin_->open) {
      flow_->on_upstream_eof(origin_->id, now_);
    }
    after_event();
  }
  void fail(Side& side) {
    if (flow_->finished()) return;
    side.fin = true;
    if (&side == &client_) {
      flow_->on_client_failed(Error::client(ErrorKind::System, "reset"), now_);
    } else {
      flow_->on_upstream_failed(origin_->id, Error::upstream(ErrorKind::System, "reset"), now_);
    }
    after_event();
  }
  void pass_time(int64_t time_ns) {
    now_.steady_ns += time_ns;
    now_.wall_ns += time_ns;
    std::optional<int64_t> deadline_ns = flow_->deadline_ns();
    if (flow_->finished() || !deadline_ns || *deadline_ns > now_.steady_ns) return;
    flow_->on_time(now_);
    after_event();
  }
  void answer_wish(uint8_t how) {
    if (wishes_.empty()) return;
    Wish wish = wishes_.front();
    wishes_.pop_front();
    if (flow_->finished()) return;
    bool fails = how % 8 == 0;
    Error error = Error::local(ErrorKind::System, "not today");
    if (wish.kind == Wish::Kind::Leaf) {
      fails ? flow_->on_leaf(waylay::fail(std::move(error)), now_) : flow_->on_leaf(world().ours.leaf, now_);
    } else if (wish.kind == Wish::Kind::Handler) {
      answer_handler(wish.id, how);
    } else if (origin_ && origin_->id == wish.id && !origin_->open) {
      connect(fails);
    }
    after_event();
  }
  void answer_handler(uint64_t exchange, uint8_t how) {
    if (how % 8 == 0)
      return flow_->on_handler_answer(exchange, waylay::fail(Error::local(ErrorKind::System, "away")), now_);
    hook::Answer answer;
    if (how % 2 == 0) {
      answer.emplace();
      answer->status = how % 4 == 0 ? 204 : 418;
      answer->body = "tea";
    }
    flow_->on_handler_answer(exchange, std::move(answer), now_);
  }
  void connect(bool fails) {
    if (fails) return flow_->on_upstream_failed(origin_->id, Error::upstream(ErrorKind::System, "refused"), now_);
    origin_->open = true;
    if (is_tls_ && flow_->facts().outcome != Outcome::PassedThrough)
      origin_->channel.emplace(
          must(world().origin.serving->accept(*world().origin.leaf, origin_speaks_, "origin", &origin_->coming)));
    flow_->on_upstream_connected(origin_->id, now_);
  }

  void after_event() {
    while (std::optional<Command> command = flow_->next_command()) carry_out(*command);
    CHECK(flow_->to_client().size() <= kMostWaiting);
    if (origin_) CHECK(flow_->to_upstream(origin_->id).size() <= kMostWaiting);
    if (flow_->finished()) CHECK(!flow_->next_command());
  }
  void carry_out(const Command& command) {
    if (auto* wanted = std::get_if<ConnectUpstream>(&command)) {
      CHECK(!origin_ && wanted->id > last_upstream_ && !client_closed_);
      last_upstream_ = wanted->id;
      origin_.emplace();
      origin_->id = wanted->id;
      wishes_.push_back({Wish::Kind::Connect, wanted->id});
    } else if (auto* close = std::get_if<CloseUpstream>(&command)) {
      CHECK(origin_ && origin_->id == close->id);
      if (!close->reset) origin_->got.append(flow_->to_upstream(close->id).text());
      upstream_got_ = origin_->got;
      upstream_gave_ = origin_->given;
      origin_.reset();
    } else if (std::holds_alternative<RequestLeaf>(command)) {
      CHECK(!std::exchange(leaf_asked_, true));
      wishes_.push_back({Wish::Kind::Leaf, 0});
    } else if (auto* call = std::get_if<CallHandler>(&command)) {
      wishes_.push_back({Wish::Kind::Handler, call->exchange});
    } else if (auto* cancel = std::get_if<CancelHandler>(&command)) {
      std::erase_if(wishes_,
                    [&](const Wish& wish) { return wish.kind == Wish::Kind::Handler && wish.id == cancel->exchange; });
    } else if (std::holds_alternative<CloseClient>(command) || std::holds_alternative<ResetClient>(command)) {
      CHECK(!std::exchange(client_closed_, true));
    } else if (auto* shut = std::get_if<ShutdownUpstream>(&command)) {
      CHECK(origin_ && origin_->id == shut->id);
    }
  }

  // Everything is said, heard and waited for; then both sides end.
  void finish() {
    settle();
    for (int i = 0; i < 200 && !flow_->finished(); ++i) {
      end(client_);
      settle();
      pass_time(kLongest_ns);
      settle();
      if (origin_ && origin_->open) end(*origin_);
      settle();
    }
    if (choice_->slow) fail(client_);
    settle();
  }

  void check_passed_through() const {
    if (flow_->facts().outcome != Outcome::PassedThrough) return;
    CHECK(client_.given.starts_with(upstream_got_));
    CHECK(upstream_gave_.starts_with(client_.got));
  }

  void flow_changed(const std::shared_ptr<const FlowFacts>&) override {}
  void exchange_ended(const ExchangeFacts& facts) override {
    CHECK(facts.end != ExchangeEnd::Open);
    CHECK(std::ranges::find(ids_, facts.id) == ids_.end());
    ids_.push_back(facts.id);
    ++recorded_;
  }

  Input input_;
  Time now_{1'000 * kSecond_ns, 1'700'000'000 * kSecond_ns};
  const RuleChoice* choice_;
  rules::RuleBook rules_;
  Rejections rejections_;
  UpstreamProtocols protocols_;
  Identifiers identifiers_;
  std::vector<std::byte> scratch_;
  std::optional<Environment> environment_;
  std::string origin_speaks_, upstream_got_, upstream_gave_;
  bool is_tls_ = true, leaf_asked_ = false, client_closed_ = false;
  uint32_t recorded_ = 0;
  std::vector<uint64_t> ids_;
  UpstreamId last_upstream_ = 0;
  size_t moved_ = 0;
  std::deque<Wish> wishes_;
  Side client_;  // outlives the flow, whose channels write into queues of its own
  std::optional<Origin> origin_;
  std::optional<Flow> flow_;
};

}  // namespace
}  // namespace waylay::flow

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  waylay::flow::world();
  waylay::flow::FuzzedFlow(waylay::flow::Input(data, size)).run();
  return 0;
}
