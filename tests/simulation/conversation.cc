#include "simulation/conversation.h"

#include <algorithm>

#include "http/h2.h"
#include "simulation/h1_ends.h"
#include "simulation/h2_client.h"
#include "simulation/h2_origin.h"
#include "simulation/text_end.h"

namespace waylay::simulation {
namespace {

// The flow calls a side "behind" at 256 KiB; what comes on top is a receive buffer's plaintext and an answer of ours,
// or frames of HTTP/2 that were taken at once.
constexpr size_t kMostQueued = (256 + 96) * 1024;
// What the flow may take from one side while nothing goes to the other: that, and what waits unread within it.
constexpr size_t kMostAccepted = kMostQueued + 64 * 1024;
// Who stalls longer than this may have met a time limit of the flow.
constexpr int64_t kShortestLimit_ns = 9 * kSecond_ns;
constexpr size_t kReceiveBuffer = 16 * 1024;

flow::FlowFacts facts_of(uint64_t number, bool speaks_http2) {
  flow::FlowFacts facts;
  facts.target = 1;
  facts.owner.pid = static_cast<uint32_t>(1000 + number);
  facts.client = *Address::parse("127.0.0.1:40000");
  facts.destination = *Address::parse(speaks_http2 ? "192.0.2.20:443" : "192.0.2.10:443");
  return facts;
}

std::vector<std::byte> front_of(const ByteQueue& queue, size_t size) {
  Bytes bytes = queue.bytes().first(std::min(size, queue.size()));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

Conversation::Conversation(Universe& universe, uint64_t number)
    : universe_(universe),
      chance_(universe.chance),
      number_(number),
      origin_speaks_http2_(chance_.one_in(2)),
      patient_(chance_.one_in(2)),
      stalls_once_in_(chance_.one_in(3) ? 300 : 30),
      story_{.chance = chance_, .number = number, .stormy = chance_.one_in(2), .swift = chance_.one_in(4)} {
  story_.report = [this](const std::string& what) { wrong(what); };
  story_.rules_break = [this] { return kind_ == Kind::Http && universe_.rules_break(); };
  story_.most_held = [this] { return universe_.most_held(); };
  if (chance_.one_in(10))
    kind_ = Kind::Unencrypted;
  else if (chance_.one_in(12))
    kind_ = Kind::Distrusting;
  else if (chance_.one_in(12))
    kind_ = Kind::PassedThrough;
  flow::FlowFacts facts = facts_of(number, origin_speaks_http2_);
  story_.untouched = kind_ == Kind::PassedThrough;
  if (story_.untouched) universe_.distrust(facts, "origin.test");
  flow_ = std::make_unique<flow::Flow>(universe_.environment(), std::move(facts), flow::Settings{}, universe_.now);
  if (kind_ == Kind::Unencrypted) {
    std::string name = "/c" + std::to_string(number);
    client_text_ = "SSH-2.0-" + pattern(name, '>', chance_.size(200'000));
    origin_text_ = pattern(name, '<', chance_.size(200'000));
    speaker_ = std::make_unique<TextEnd>(story_, true, client_text_, origin_text_);
    return;
  }
  // Every client is a process of its own, with no session of another one.
  tls::UpstreamName name{"origin.test", "client " + std::to_string(number), offer()};
  client_.channel.emplace(must_tls(universe_.client_context(kind_ == Kind::Http).connect(name, &client_.coming)));
  client_.channel->start();
}

std::vector<std::string> Conversation::offer() {
  switch (chance_.below(5)) {
    case 0:
      return {};
    case 1:
      return {"http/1.1"};
    case 2:
      return {"http/1.1", "h2"};
    default:
      break;
  }
  if (!chance_.one_in(5) || (!origin_speaks_http2_ && !story_.stormy)) return {"h2", "http/1.1"};
  story_.troubled = story_.troubled || !origin_speaks_http2_;  // nothing that both speak
  return {"h2"};
}

Conversation::~Conversation() = default;

// --- What may happen ---

bool Conversation::act() {
  if (story_.stormy && !story_.finishing && chance_.one_in(150)) trouble();
  if (!story_.finishing && chance_.one_in(stalls_once_in_)) stall();
  Origin* origin = nullptr;
  if (!origins_.empty()) origin = &*std::next(origins_.begin(), static_cast<ptrdiff_t>(chance_.below(origins_.size())));

  constexpr size_t kThings = 7;
  size_t first = chance_.below(kThings);
  for (size_t i = 0; i < kThings; ++i) {
    bool done = false;
    switch ((first + i) % kThings) {
      case 0:
        done = deliver_from_client();
        break;
      case 1:
        done = deliver_to_client();
        break;
      case 2:
        done = origin && deliver_from_origin(*origin);
        break;
      case 3:
        done = origin && deliver_to_origin(*origin);
        break;
      case 4:
        done = client_writes();
        break;
      case 5:
        done = origin && origin_writes(*origin);
        break;
      case 6:
        done = (story_.finishing || chance_.one_in(3)) && answer_flow();
        break;
    }
    if (!done) continue;
    rested_ = false;
    forget_gone_origins();
    return true;
  }
  forget_gone_origins();
  rested_ = at_rest();
  if (rested_) check_rest();
  return false;
}

void Conversation::pass_time(int64_t time_ns) {
  bool stalled = !client_.reads || std::ranges::any_of(origins_, [](const Origin& origin) { return !origin.reads; });
  stalled_ns_ = stalled ? stalled_ns_ + time_ns : 0;
  if (stalled_ns_ > kShortestLimit_ns) story_.troubled = true;
  if (flow_->finished()) return;
  std::optional<int64_t> deadline_ns = flow_->deadline_ns();
  if (!deadline_ns || *deadline_ns > universe_.now.steady_ns) return;
  flow_->on_time(universe_.now);
  after_event();
}

void Conversation::finish() {
  story_.finishing = true;
  client_.reads = true;
  for (Origin& origin : origins_) origin.reads = true;
}

void Conversation::stall() {
  if (origins_.empty() || chance_.one_in(2)) {
    client_.reads = !client_.reads;
  } else {
    origins_.back().reads = !origins_.back().reads;
  }
}

void Conversation::trouble() {
  story_.troubled = true;
  switch (chance_.below(8)) {
    case 0:
      if (client_.lost || flow_->finished()) return;
      client_.lost = true;
      client_.coming.clear();
      client_.sending.clear();
      flow_->on_client_failed(Error::client(ErrorKind::System, "Connection reset by peer"), universe_.now);
      return after_event();
    case 1:
      return end(client_, chance_.one_in(2));
    case 2:
    case 3:
      if (!origins_.empty() && origins_.back().open) leave_early(origins_.back());
      return;
    case 4:
    case 5: {
      if (origins_.empty() || !origins_.back().open || flow_->finished()) return;
      Origin& origin = origins_.back();
      origin.lost = true;
      origin.coming.clear();
      flow_->on_upstream_failed(origin.id, Error::upstream(ErrorKind::System, "Connection reset by peer"),
                                universe_.now);
      return after_event();
    }
    case 6:
      if (!flow_->finished()) flow_->on_no_more_upstreams(universe_.now);
      return after_event();
    default:
      if (!chance_.one_in(4)) return;
      if (!flow_->finished()) flow_->on_detached(universe_.now);
      return after_event();
  }
}

// --- The shell ---

bool Conversation::deliver_from_client() {
  if (client_.lost) return false;
  if (!client_.coming.empty()) {
    bool leaving = flow_->finished() || client_.then == Then::Close;
    if (!leaving && !flow_->wants_client_bytes()) return false;
    std::vector<std::byte> piece = front_of(client_.coming, story_.piece(kReceiveBuffer));
    client_.coming.consume(piece.size());
    if (!leaving) take(client_, piece.size());
    if (!leaving) from_client_ += piece.size();
    if (!leaving) flow_->on_client_bytes(piece, universe_.now);
    after_event();
    return true;
  }
  if (!client_.fin || client_.fin_told) return false;
  client_.fin_told = true;
  if (!flow_->finished()) flow_->on_client_eof(universe_.now);
  after_event();
  return true;
}

bool Conversation::deliver_to_client() {
  if (client_.lost || !client_.reads) return false;
  if (!client_.sending.empty()) {
    std::vector<std::byte> piece = front_of(client_.sending, story_.piece(64 * 1024));
    client_.sending.consume(piece.size());
    for (Origin& origin : origins_) origin.accepted = 0;
    hear(client_, speaker_.get(), piece);
    if (client_.sending.empty()) {
      take_from_flow();
      if (!flow_->finished()) flow_->on_writable(universe_.now);
    }
    after_event();
    return true;
  }
  if (client_.then == Then::Nothing || client_.eof) return false;
  client_saw_end();
  return true;
}

bool Conversation::deliver_from_origin(Origin& origin) {
  if (!origin.open || origin.lost) return false;
  if (!origin.coming.empty()) {
    bool unwanted = flow_->finished() || origin.then == Then::Close;
    if (!unwanted && !flow_->wants_upstream_bytes(origin.id)) return false;
    std::vector<std::byte> piece = front_of(origin.coming, story_.piece(kReceiveBuffer));
    origin.coming.consume(piece.size());
    if (!unwanted) take(origin, piece.size());
    if (!unwanted) from_origins_ += piece.size();
    if (!unwanted) flow_->on_upstream_bytes(origin.id, piece, universe_.now);
    after_event();
    return true;
  }
  if (!origin.fin || origin.fin_told) return false;
  origin.fin_told = true;
  if (!flow_->finished() && origin.then != Then::Close) flow_->on_upstream_eof(origin.id, universe_.now);
  after_event();
  return true;
}

bool Conversation::deliver_to_origin(Origin& origin) {
  if (!origin.open || origin.lost || !origin.reads) return false;
  if (!origin.sending.empty()) {
    std::vector<std::byte> piece = front_of(origin.sending, story_.piece(64 * 1024));
    origin.sending.consume(piece.size());
    client_.accepted = 0;
    origin_hears(origin, piece);
    if (origin.sending.empty()) {
      take_from_flow();
      if (!flow_->finished()) flow_->on_writable(universe_.now);
    }
    after_event();
    return true;
  }
  if (origin.then == Then::Nothing || origin.eof) return false;
  origin.eof = true;
  if (origin.speaker) origin.speaker->hear_end();
  return true;
}

void Conversation::take(Side& side, size_t size) {
  side.accepted += size;
  if (side.accepted > kMostAccepted + universe_.most_held() + held_by_windows())
    wrong(std::to_string(side.accepted) + " bytes were taken while the other side got nothing");
}

bool Conversation::speaks_http2() const {
  return flow_->facts().client_tls.alpn == "h2" || flow_->facts().upstream_tls.alpn == "h2";
}

// What HTTP/2's windows let one side be ahead of the other: as much as the connection holds for streams that nobody
// reads, and its window.
size_t Conversation::held_by_windows() const {
  return speaks_http2() ? http::kConnectionHeld + http::kConnectionWindow : 0;
}

// Answers come when they come, and not in the order of the wishes.
bool Conversation::answer_flow() {
  if (wishes_.empty()) return false;
  size_t index = chance_.below(wishes_.size());
  Wish wish = wishes_[index];
  wishes_.erase(wishes_.begin() + static_cast<ptrdiff_t>(index));
  if (flow_->finished()) return true;
  if (wish.handler_of != 0) {
    answer_handler(wish);
  } else if (wish.leaf) {
    answer_leaf(wish);
  } else {
    answer_connect(wish);
  }
  after_event();
  return true;
}

void Conversation::answer_leaf(const Wish& wish) {
  bool fails = story_.stormy && !story_.finishing && chance_.one_in(40);
  story_.troubled = story_.troubled || fails;
  Result<std::shared_ptr<const tls::Leaf>> leaf =
      fails ? Result<std::shared_ptr<const tls::Leaf>>(fail(Error::local(ErrorKind::System, "no leaf today")))
            : universe_.our_leaf(wish.name, wish.mirrored ? universe_.origin_leaf()->certificate.get() : nullptr);
  flow_->on_leaf(std::move(leaf), universe_.now);
}

void Conversation::answer_handler(const Wish& wish) {
  if (chance_.one_in(8)) {
    Error away = Error::local(ErrorKind::Unavailable, "the handler is away");
    return flow_->on_handler_answer(wish.handler_of, fail(std::move(away)), universe_.now);
  }
  hook::Answer answer;
  if (chance_.one_in(2)) {
    answer.emplace();
    answer->status = 418;
    answer->fields = {{"X-Rule", "mock"}};
    answer->body = "tea";
  }
  flow_->on_handler_answer(wish.handler_of, std::move(answer), universe_.now);
}

void Conversation::answer_connect(const Wish& wish) {
  auto origin = std::ranges::find(origins_, wish.upstream, &Origin::id);
  if (origin == origins_.end() || origin->lost) return;
  if (story_.stormy && !story_.finishing && chance_.one_in(20)) {
    story_.troubled = origin->lost = true;
    return flow_->on_upstream_failed(origin->id, Error::upstream(ErrorKind::System, "Connection refused"),
                                     universe_.now);
  }
  origin->open = true;
  if (kind_ == Kind::Unencrypted)
    origin->speaker = std::make_unique<TextEnd>(story_, false, origin_text_, client_text_);
  flow_->on_upstream_connected(origin->id, universe_.now);
}

void Conversation::after_event() {
  while (std::optional<flow::Command> command = flow_->next_command()) carry_out(*command);
  if (flow_->finished()) {
    if (client_.then != Then::Close) client_.then = Then::Close;
    for (Origin& origin : origins_) origin.then = Then::Close;
  }
  take_from_flow();
}

void Conversation::take_from_flow() {
  ByteQueue& to_client = flow_->to_client();
  most_queued_ = std::max(most_queued_, to_client.size());
  if (client_.lost) to_client.clear();
  if (client_.sending.empty() && !to_client.empty()) client_.sending.swap(to_client);
  for (Origin& origin : origins_) {
    ByteQueue& queue = flow_->to_upstream(origin.id);
    most_queued_ = std::max(most_queued_, queue.size());
    if (origin.lost) queue.clear();
    if (origin.open && origin.sending.empty() && !queue.empty()) origin.sending.swap(queue);
  }
  // What rules hold of HTTP/2 waits in its streams.
  if (most_queued_ > kMostQueued + (speaks_http2() ? 0 : universe_.most_held()))
    wrong(std::to_string(most_queued_) + " bytes wait in a queue");
}

void Conversation::carry_out(const flow::Command& command) {
  auto origin_of = [&](flow::UpstreamId id) { return std::ranges::find(origins_, id, &Origin::id); };
  if (auto* connect = std::get_if<flow::ConnectUpstream>(&command)) {
    if (origin_of(connect->id) != origins_.end()) wrong("an upstream's number is used twice");
    origins_.emplace_back().id = connect->id;
    wishes_.push_back({.upstream = connect->id});
  } else if (auto* leaf = std::get_if<flow::RequestLeaf>(&command)) {
    wishes_.push_back({.leaf = true, .name = leaf->name, .mirrored = leaf->mirror != nullptr});
  } else if (auto* shut = std::get_if<flow::ShutdownUpstream>(&command)) {
    auto origin = origin_of(shut->id);
    if (origin != origins_.end() && origin->then == Then::Nothing) origin->then = Then::Shutdown;
  } else if (auto* close = std::get_if<flow::CloseUpstream>(&command)) {
    auto origin = origin_of(close->id);
    if (origin == origins_.end()) return;
    if (close->reset || !origin->open) {
      origin->lost = true;
    } else {
      origin->then = Then::Close;
      // What is on its way first, then what is left; the flow may go on with another upstream and a fresh queue.
      origin->sending.append(flow_->to_upstream(close->id).bytes());
      flow_->to_upstream(close->id).clear();
    }
  } else if (std::holds_alternative<flow::ShutdownClient>(command)) {
    if (client_.then == Then::Nothing) client_.then = Then::Shutdown;
  } else if (std::holds_alternative<flow::CloseClient>(command)) {
    client_.then = Then::Close;
  } else if (auto* call = std::get_if<flow::CallHandler>(&command)) {
    wishes_.push_back({.handler_of = call->exchange});
  } else if (auto* cancel = std::get_if<flow::CancelHandler>(&command)) {
    std::erase_if(wishes_, [&](const Wish& wish) { return wish.handler_of == cancel->exchange; });
  } else {
    client_.lost = true;
    client_.sending.clear();
    client_.coming.clear();
  }
}

// --- The two ends ---

bool Conversation::client_writes() {
  if (client_.lost || client_.fin) return false;
  if (client_.failed || client_.eof) {
    end(client_, !client_.failed);
    return true;
  }
  return speaker_ && (rested_ || !patient_ || !speaker_->wants_to_end()) && write(client_, *speaker_);
}

bool Conversation::origin_writes(Origin& origin) {
  if (!origin.open || origin.lost || origin.fin) return false;
  bool hopeless = origin.failed || (origin.eof && !origin.speaker);
  if (hopeless || (origin.eof && origin.then == Then::Close)) {
    end(origin, !origin.failed);
    return true;
  }
  return origin.speaker && write(origin, *origin.speaker);
}

// A peer that does not take what was sent before it gets no more.
bool Conversation::write(Side& side, Speaker& speaker) {
  if (side.coming.size() > 4 * kReceiveBuffer) return false;
  if (side.channel && side.channel->state() == tls::Channel::State::Handshaking) return false;
  if (speaker.wants_to_end()) {
    end(side, true);
    return true;
  }
  std::string piece = speaker.say();
  if (piece.empty()) return false;
  if (!side.channel) {
    side.coming.append(piece);
  } else if (!side.channel->write(as_bytes(piece))) {
    wrong("an end cannot write");
  }
  return true;
}

void Conversation::end(Side& side, bool with_close_notify) {
  if (side.lost || side.fin) return;
  if (with_close_notify && side.channel) side.channel->shutdown();
  side.fin = true;
}

void Conversation::leave_early(Origin& origin) {
  bool orderly = chance_.one_in(2);
  bool would_lie = origin.speaker && origin.speaker->would_cut();
  end(origin, orderly && !would_lie);
}

void Conversation::client_saw_end() {
  client_.eof = true;
  if (client_.then == Then::Close) end(client_, true);
}

void Conversation::hear(Side& side, Speaker* speaker, Bytes bytes) {
  if (!encrypted()) return speaker->hear(as_text(bytes));
  if (side.failed) return;
  bool is_client = &side == &client_;
  std::vector<std::byte> scratch(17 * 1024);
  side.channel->put(bytes);
  for (;;) {
    Bytes plaintext;
    switch (side.channel->next(scratch, plaintext)) {
      case tls::Channel::Event::Plaintext:
        speaker->hear(as_text(plaintext));
        break;
      case tls::Channel::Event::CloseNotify:
        if (is_client && speaker) speaker->hear_end();
        break;
      case tls::Channel::Event::HandshakeDone:
        if (is_client) speaker = client_handshake_done();
        break;
      case tls::Channel::Event::Failed:
        side.failed = true;
        if (is_client && kind_ != Kind::Distrusting && !story_.troubled)
          wrong("the client's TLS failed: " + client_.channel->error().message);
        return;
      case tls::Channel::Event::NeedMore:
        return;
    }
  }
}

Speaker* Conversation::client_handshake_done() {
  bool http2 = client_.channel->alpn() == "h2";
  story_.begin(plan_exchanges(chance_, number_, http2));
  if (http2) {
    speaker_ = std::make_unique<H2Client>(story_);
  } else {
    speaker_ = std::make_unique<H1Client>(story_);
  }
  return speaker_.get();
}

void Conversation::origin_hears(Origin& origin, Bytes bytes) {
  if (encrypted() && !origin.channel) {
    origin.hello.append(bytes);
    return greet(origin);
  }
  hear(origin, origin.speaker.get(), bytes);
}

void Conversation::greet(Origin& origin) {
  auto hello = tls::parse_client_hello(origin.hello.bytes());
  if (!hello) wrong("an origin got no ClientHello: " + hello.error().message);
  if (!*hello) return;
  std::string protocol = choose_protocol((*hello)->alpn);
  origin.channel.emplace(
      must_tls(universe_.origin_context().accept(*universe_.origin_leaf(), protocol, "origin", &origin.coming)));
  if (protocol == "h2") {
    origin.speaker = std::make_unique<H2Origin>(story_);
  } else {
    origin.speaker = std::make_unique<H1Origin>(story_);
  }
  ByteQueue first;
  first.swap(origin.hello);
  hear(origin, origin.speaker.get(), first.bytes());
}

// HTTP/2 where it can be, else HTTP/1.1, with or without a word of it.
std::string Conversation::choose_protocol(const std::vector<std::string>& offered) {
  auto offers = [&](std::string_view protocol) { return std::ranges::find(offered, protocol) != offered.end(); };
  if (origin_speaks_http2_ && offers("h2")) return "h2";
  return offers("http/1.1") && !chance_.one_in(3) ? "http/1.1" : "";
}

void Conversation::forget_gone_origins() {
  std::erase_if(origins_, [](const Origin& origin) {
    return origin.lost || (origin.then == Then::Close && (!origin.open || origin.sending.empty()));
  });
}

// --- When nothing moves ---

// All that was said has come into the flow, which waits for nothing but its two ends.
bool Conversation::at_rest() const {
  auto rests = [](const Side& side) { return side.reads && side.coming.empty() && side.sending.empty(); };
  return wishes_.empty() && rests(client_) && std::ranges::all_of(origins_, rests) &&
         (flow_->finished() || !flow_->deadline_ns());
}

// Then both ends know the same: which streams are open, and that an origin leaves. And nothing is kept from who has
// room for it, whatever others do not read.
void Conversation::check_rest() const {
  if (!speaker_ || !speaks_http2() || story_.may_break() || flow_->finished()) return;
  speaker_->check_rest();
  std::map<size_t, OpenStream> at_client = speaker_->open_exchanges(), at_origins;
  for (const Origin& origin : origins_)
    if (origin.speaker) at_origins.merge(origin.speaker->open_exchanges());
  for (const auto& [exchange, stream] : at_origins) {
    auto same = at_client.find(exchange);
    if (same != at_client.end()) check_rest_of(exchange, same->second, stream);
    if (same == at_client.end() && !stream.keeps_away())
      wrong(story_.plan[exchange].name + " is over, and its origin was not told");
  }
  for (const auto& [exchange, stream] : at_client)
    if (story_.arrivals[exchange] > 0 && !at_origins.contains(exchange) && !stream.keeps_away())
      wrong(story_.plan[exchange].name + " is over at its origin, and its client was not told");
}

void Conversation::check_rest_of(size_t exchange, const OpenStream& client, const OpenStream& origin) const {
  auto is_kept = [](const Progress& body, const OpenStream& from, const OpenStream& to) {
    return to.has_room && (from.waits || body.said > body.heard);
  };
  if (is_kept(story_.requests[exchange], client, origin))
    wrong("the origin has room for the rest of " + story_.plan[exchange].name);
  if (is_kept(story_.responses[exchange], origin, client))
    wrong("the client has room for the rest of the answer to " + story_.plan[exchange].name);
}

// --- The end ---

bool Conversation::over() const {
  return flow_->finished() && client_is_gone() && origins_.empty();
}

void Conversation::check() const {
  const flow::FlowFacts& facts = flow_->facts();
  if (facts.bytes_from_client != from_client_ || facts.bytes_from_upstream != from_origins_)
    wrong("the flow counted " + std::to_string(facts.bytes_from_client) + " and " +
          std::to_string(facts.bytes_from_upstream) + " bytes, and got " + std::to_string(from_client_) + " and " +
          std::to_string(from_origins_));
  if (speaker_) speaker_->check();
  if (speaker_ && patient_ && !story_.may_break()) speaker_->check_rest();
  check_records();
}

// What the flow says of its exchanges is what the client saw of them.
void Conversation::check_records() const {
  auto records = universe_.recorded(flow_->facts().id);
  if (records.size() != flow_->facts().exchanges)
    wrong(std::to_string(flow_->facts().exchanges) + " exchanges, " + std::to_string(records.size()) + " recorded");
  if (kind_ != Kind::Http || !speaker_) return;
  if (!story_.troubled && records.size() > speaker_->asked())
    wrong(std::to_string(records.size()) + " exchanges of " + std::to_string(speaker_->asked()) + " requests");
  for (const Seen& seen : speaker_->seen()) {
    if (!seen.complete || seen.tunnel) continue;
    auto is_it = [&](const auto& facts) {
      return facts->target == seen.name && facts->status == seen.status && facts->response_body == seen.content;
    };
    if (std::ranges::count_if(records, is_it) != 1)
      wrong(seen.name + " was answered with " + std::to_string(seen.status) + " and " + std::to_string(seen.content) +
            " bytes, which nobody recorded so");
  }
}

std::string Conversation::describe() const {
  std::string out = "conversation " + std::to_string(number_) + (story_.stormy ? ", stormy" : ", calm") +
                    (story_.troubled ? ", troubled" : "") + ": flow " +
                    std::string(flow::to_string(flow_->facts().outcome)) + (flow_->finished() ? " finished" : "") +
                    (flow_->facts().reason.empty() ? "" : " (" + flow_->facts().reason + ")") + "; client" +
                    (client_.fin ? " fin" : "") + (client_.eof ? " eof" : "") + (client_.lost ? " lost" : "") +
                    (client_.failed ? " failed" : "") + (speaker_ ? ", " + speaker_->describe() : "");
  for (const Origin& origin : origins_)
    out += "\n  origin " + std::to_string(origin.id) + (origin.open ? " open" : " asked") + (origin.fin ? " fin" : "") +
           (origin.eof ? " eof" : "") + " then " + std::to_string(static_cast<int>(origin.then)) +
           (origin.speaker ? ", " + origin.speaker->describe() : "");
  return out + universe_.how_exchanges_ended(flow_->facts().id);
}

void Conversation::wrong(const std::string& what) const {
  found(what + "\n" + describe());
}

}  // namespace waylay::simulation
