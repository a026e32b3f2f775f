#include "simulation/conversation.h"

#include <algorithm>

namespace waylay::simulation {
namespace {

// The flow calls a side "behind" at 256 KiB; what comes on top is a receive buffer's plaintext and an answer of ours.
constexpr size_t kMostQueued = (256 + 64) * 1024;
// What the flow may take from one side while nothing goes to the other: that, and what waits unread within it.
constexpr size_t kMostAccepted = kMostQueued + 64 * 1024;
// Who stalls longer than this may have met a time limit of the flow.
constexpr int64_t kShortestLimit_ns = 9 * kSecond_ns;
constexpr size_t kReceiveBuffer = 16 * 1024;
constexpr size_t kPipelined = 4;

flow::FlowFacts facts_of(uint64_t number) {
  flow::FlowFacts facts;
  facts.target = 1;
  facts.owner.pid = static_cast<uint32_t>(1000 + number);
  facts.client = *Address::parse("127.0.0.1:40000");
  facts.destination = *Address::parse("192.0.2.10:443");
  return facts;
}

std::vector<std::byte> front_of(const ByteQueue& queue, size_t size) {
  Bytes bytes = queue.bytes().first(std::min(size, queue.size()));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

Conversation::Conversation(Universe& universe, uint64_t number)
    : universe_(universe), chance_(universe.chance), number_(number) {
  stormy_ = chance_.one_in(2);
  if (chance_.one_in(10))
    kind_ = Kind::Unencrypted;
  else if (chance_.one_in(12))
    kind_ = Kind::Distrusting;
  plan_ = plan_exchanges(chance_, number_);
  answers_.is_for_responses = true;
  flow_ = std::make_unique<flow::Flow>(universe_.environment(), facts_of(number), flow::Settings{}, universe_.now);
  if (kind_ == Kind::Unencrypted) {
    std::string name = "/c" + std::to_string(number);
    client_text_ = "SSH-2.0-" + pattern(name, '>', chance_.size(200'000));
    origin_text_ = pattern(name, '<', chance_.size(200'000));
    return;
  }
  std::vector<std::string> alpn;
  if (!chance_.one_in(3)) alpn.emplace_back("http/1.1");
  // Every client is a process of its own, with no session of another one.
  tls::UpstreamName name{"origin.test", "client " + std::to_string(number), alpn};
  client_.channel.emplace(
      must_tls(universe_.client_context(kind_ != Kind::Distrusting).connect(name, &client_.coming)));
  client_.channel->start();
}

Conversation::~Conversation() = default;

// --- What may happen ---

bool Conversation::act() {
  if (stormy_ && !finishing_ && chance_.one_in(150)) trouble();
  if (!finishing_ && chance_.one_in(30)) stall();
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
        done = (finishing_ || chance_.one_in(3)) && answer_flow();
        break;
    }
    if (!done) continue;
    forget_gone_origins();
    return true;
  }
  forget_gone_origins();
  return false;
}

void Conversation::pass_time(int64_t time_ns) {
  bool stalled = !client_.reads || std::ranges::any_of(origins_, [](const Origin& origin) { return !origin.reads; });
  stalled_ns_ = stalled ? stalled_ns_ + time_ns : 0;
  if (stalled_ns_ > kShortestLimit_ns) troubled_ = true;
  if (flow_->finished()) return;
  std::optional<int64_t> deadline_ns = flow_->deadline_ns();
  if (!deadline_ns || *deadline_ns > universe_.now.steady_ns) return;
  flow_->on_time(universe_.now);
  after_event();
}

void Conversation::finish() {
  finishing_ = true;
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
  troubled_ = true;
  switch (chance_.below(8)) {
    case 0:
      if (client_.lost || flow_->finished()) return;
      client_.lost = true;
      client_.coming.clear();
      client_.sending.clear();
      flow_->on_client_failed(Error::client(ErrorKind::System, "Connection reset by peer"), universe_.now);
      return after_event();
    case 1:
      return end_client(chance_.one_in(2));
    case 2:
    case 3:
      if (!origins_.empty()) end_origin(origins_.back(), chance_.one_in(2));
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
    std::vector<std::byte> piece = front_of(client_.coming, 1 + chance_.size(kReceiveBuffer - 1));
    client_.coming.consume(piece.size());
    if (!leaving) take(client_, piece.size());
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
    std::vector<std::byte> piece = front_of(client_.sending, 1 + chance_.size(64 * 1024));
    client_.sending.consume(piece.size());
    for (Origin& origin : origins_) origin.accepted = 0;
    client_read(piece);
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
    std::vector<std::byte> piece = front_of(origin.coming, 1 + chance_.size(kReceiveBuffer - 1));
    origin.coming.consume(piece.size());
    if (!unwanted) take(origin, piece.size());
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
    std::vector<std::byte> piece = front_of(origin.sending, 1 + chance_.size(64 * 1024));
    origin.sending.consume(piece.size());
    client_.accepted = 0;
    origin_read(origin, piece);
    if (origin.sending.empty()) {
      take_from_flow();
      if (!flow_->finished()) flow_->on_writable(universe_.now);
    }
    after_event();
    return true;
  }
  if (origin.then == Then::Nothing || origin.eof) return false;
  origin.eof = true;
  return true;
}

void Conversation::take(Side& side, size_t size) {
  side.accepted += size;
  if (side.accepted > kMostAccepted + universe_.most_held())
    wrong(std::to_string(side.accepted) + " bytes were taken while the other side got nothing");
}

// Answers come when they come, and not in the order of the wishes.
bool Conversation::answer_flow() {
  if (wishes_.empty()) return false;
  size_t index = chance_.below(wishes_.size());
  Wish wish = wishes_[index];
  wishes_.erase(wishes_.begin() + static_cast<ptrdiff_t>(index));
  if (wish.leaf) {
    if (flow_->finished()) return true;
    bool fails = stormy_ && !finishing_ && chance_.one_in(40);
    troubled_ = troubled_ || fails;
    Result<std::shared_ptr<const tls::Leaf>> leaf =
        fails ? Result<std::shared_ptr<const tls::Leaf>>(fail(Error::local(ErrorKind::System, "no leaf today")))
              : universe_.our_leaf(wish.name, wish.mirrored ? universe_.origin_leaf()->certificate.get() : nullptr);
    flow_->on_leaf(std::move(leaf), universe_.now);
    after_event();
    return true;
  }
  auto origin = std::ranges::find(origins_, wish.upstream, &Origin::id);
  if (origin == origins_.end() || origin->lost || flow_->finished()) return true;
  if (stormy_ && !finishing_ && chance_.one_in(20)) {
    troubled_ = origin->lost = true;
    flow_->on_upstream_failed(origin->id, Error::upstream(ErrorKind::System, "Connection refused"), universe_.now);
  } else {
    origin->open = true;
    if (kind_ != Kind::Unencrypted)
      origin->channel.emplace(must_tls(universe_.origin_context().accept(
          *universe_.origin_leaf(), chance_.one_in(3) ? "" : "http/1.1", "origin", &origin->coming)));
    flow_->on_upstream_connected(origin->id, universe_.now);
  }
  after_event();
  return true;
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
  if (most_queued_ > kMostQueued + universe_.most_held())
    wrong(std::to_string(to_client.size()) + " bytes wait for the client, or " + std::to_string(most_queued_) +
          " for an origin");
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
  } else {
    client_.lost = true;
    client_.sending.clear();
    client_.coming.clear();
  }
}

// --- The client ---

bool Conversation::client_writes() {
  if (client_.lost || client_.fin) return false;
  if (client_.failed || client_.eof || (finishing_ && everything_answered())) {
    end_client(!client_.failed);
    return true;
  }
  // A peer that does not take what was sent before it gets no more.
  if (client_.coming.size() > 4 * kReceiveBuffer) return false;
  if (kind_ == Kind::Unencrypted) {
    std::string_view rest = std::string_view(client_text_).substr(client_text_sent_);
    if (rest.empty()) {
      if (!finishing_ || client_.raw.size() < origin_text_.size()) return false;
      end_client(false);
      return true;
    }
    size_t size = std::min(rest.size(), static_cast<size_t>(1 + chance_.size(20'000)));
    client_.coming.append(rest.substr(0, size));
    client_text_sent_ += size;
    return true;
  }
  if (client_.channel->state() != tls::Channel::State::Open) return false;
  if (request_.empty()) {
    if (asked_ == plan_.size()) {
      if (!everything_answered()) return false;
      end_client(true);
      return true;
    }
    if (asked_ - final_answers() >= (number_ % 3 == 0 ? kPipelined : 1)) return false;
    request_ = plan_[asked_].request();
    answers_.expect_answer_to(plan_[asked_].method);
    ++asked_;
  }
  size_t size = std::min(request_.size(), static_cast<size_t>(1 + chance_.size(20'000)));
  if (!client_.channel->write(as_bytes(std::string_view(request_).substr(0, size)))) wrong("the client cannot write");
  request_.erase(0, size);
  return true;
}

void Conversation::client_read(Bytes bytes) {
  if (kind_ == Kind::Unencrypted) {
    client_.raw.append(as_text(bytes));
    return;
  }
  if (client_.failed) return;
  std::vector<std::byte> scratch(17 * 1024);
  client_.channel->put(bytes);
  for (;;) {
    Bytes plaintext;
    switch (client_.channel->next(scratch, plaintext)) {
      case tls::Channel::Event::Plaintext:
        answers_.put(as_text(plaintext));
        if (!answers_.error().empty()) wrong(answers_.error());
        break;
      case tls::Channel::Event::CloseNotify:
        client_.close_notify = true;
        answers_.end();
        break;
      case tls::Channel::Event::HandshakeDone:
        break;
      case tls::Channel::Event::Failed:
        client_.failed = true;
        if (kind_ != Kind::Distrusting && !troubled_)
          wrong("the client's TLS failed: " + client_.channel->error().message);
        return;
      case tls::Channel::Event::NeedMore:
        return;
    }
  }
}

void Conversation::client_saw_end() {
  client_.eof = true;
  if (client_.then == Then::Close && !client_.fin) end_client(true);
}

void Conversation::end_client(bool with_close_notify) {
  if (client_.lost || client_.fin) return;
  if (with_close_notify && client_.channel) client_.channel->shutdown();
  client_.fin = true;
  request_.clear();
}

size_t Conversation::final_answers() const {
  auto& messages = const_cast<MessageReader&>(answers_).messages();
  return static_cast<size_t>(
      std::ranges::count_if(messages, [](const Message& m) { return m.complete && m.status() >= 200; }));
}

bool Conversation::everything_answered() const {
  return request_.empty() && final_answers() == asked_;
}

// --- The origins ---

void Conversation::origin_read(Origin& origin, Bytes bytes) {
  if (!origin.channel) {
    origin.raw.append(as_text(bytes));
    return;
  }
  if (origin.failed) return;
  std::vector<std::byte> scratch(17 * 1024);
  origin.channel->put(bytes);
  for (;;) {
    Bytes plaintext;
    switch (origin.channel->next(scratch, plaintext)) {
      case tls::Channel::Event::Plaintext:
        origin.requests.put(as_text(plaintext));
        check_requests(origin);
        break;
      case tls::Channel::Event::CloseNotify:
      case tls::Channel::Event::HandshakeDone:
        break;
      case tls::Channel::Event::Failed:
        origin.failed = true;
        return;
      case tls::Channel::Event::NeedMore:
        return;
    }
  }
}

// In order, each once, whatever upstream connection it comes over, and nothing but what the client said.
void Conversation::check_requests(Origin& origin) {
  if (!origin.requests.error().empty()) wrong("the origin got " + origin.requests.error());
  for (Message& message : origin.requests.messages()) {
    size_t slash = message.target().rfind("/e");
    size_t index =
        slash == std::string::npos ? plan_.size() : strtoul(message.target().c_str() + slash + 2, nullptr, 10);
    if (index >= plan_.size() || message.target() != plan_[index].name)
      wrong("the origin got a request that is not this conversation's: " + message.start_line());
    const PlannedExchange& planned = plan_[index];
    std::string content = planned.request_content();
    if (content.compare(0, message.content.size(), message.content) != 0 ||
        (message.complete && message.content.size() != content.size()))
      wrong("the origin got another body of " + planned.name);
    if (&message != &origin.requests.messages().back() || index < next_seen_) continue;
    next_seen_ = index + 1;
  }
}

bool Conversation::origin_writes(Origin& origin) {
  if (!origin.open || origin.lost || origin.fin || origin.coming.size() > 4 * kReceiveBuffer) return false;
  if (!origin.channel) {
    std::string_view rest = std::string_view(origin_text_).substr(origin_text_sent_);
    if (rest.empty()) {
      if (!origin.eof) return false;
      end_origin(origin, false);
      return true;
    }
    size_t size = std::min(rest.size(), static_cast<size_t>(1 + chance_.size(20'000)));
    origin.coming.append(rest.substr(0, size));
    origin_text_sent_ += size;
    return true;
  }
  if (origin.failed || (origin.eof && origin.answer.empty() && origin.answered == origin.requests.messages().size())) {
    end_origin(origin, true);
    return true;
  }
  if (origin.channel->state() != tls::Channel::State::Open && origin.channel->state() != tls::Channel::State::Closed)
    return false;
  if (origin.answer.empty()) {
    if (std::exchange(origin.ends_after_answer, false)) {
      end_origin(origin, true);
      return true;
    }
    if (origin.answered == origin.requests.messages().size()) return false;
    const Message& request = origin.requests.messages()[origin.answered];
    if (!request.complete) {
      if (!origin.eof) return false;
      end_origin(origin, true);
      return true;
    }
    auto planned = std::ranges::find(plan_, request.target(), &PlannedExchange::name);
    origin.answer = planned->response();
    origin.ends_after_answer = planned->response_body == Body::UntilClose;
    ++origin.answered;
  }
  size_t size = std::min(origin.answer.size(), static_cast<size_t>(1 + chance_.size(20'000)));
  if (!origin.channel->write(as_bytes(std::string_view(origin.answer).substr(0, size))))
    wrong("the origin cannot write");
  origin.answer.erase(0, size);
  return true;
}

void Conversation::end_origin(Origin& origin, bool with_close_notify) {
  if (origin.lost || origin.fin || !origin.open) return;
  // An answer that lasts until the end is whole if the end is TLS's own.
  bool cut_short = !origin.answer.empty() && origin.ends_after_answer;
  if (with_close_notify && origin.channel && !cut_short) origin.channel->shutdown();
  origin.fin = true;
  origin.answer.clear();
}

void Conversation::forget_gone_origins() {
  std::erase_if(origins_, [](const Origin& origin) {
    return origin.lost || (origin.then == Then::Close && (!origin.open || origin.sending.empty()));
  });
}

// --- The end ---

bool Conversation::over() const {
  return flow_->finished() && client_is_gone() && origins_.empty();
}

void Conversation::check() const {
  size_t recorded = universe_.exchanges_recorded(flow_->facts().id);
  if (recorded != flow_->facts().exchanges)
    wrong(std::to_string(flow_->facts().exchanges) + " exchanges, " + std::to_string(recorded) + " of them recorded");
  if (kind_ == Kind::Unencrypted) {
    if (origin_text_.compare(0, client_.raw.size(), client_.raw) != 0) wrong("the client got other bytes");
    if (!troubled_ && client_.raw.size() != origin_text_.size()) wrong("bytes for the client were lost");
    return;
  }
  if (kind_ == Kind::Http) check_answers();
}

void Conversation::check_answers() const {
  size_t index = 0;
  bool may_end = troubled_ || universe_.rules_break();
  for (const Message& message : const_cast<MessageReader&>(answers_).messages()) {
    if (message.status() < 200) continue;
    check_answer(message, plan_[index++]);
    if (!message.complete && !may_end) wrong("the answer to " + plan_[index - 1].name + " was cut short");
    if (message.field("Connection") == "close" || message.until_close) may_end = true;
  }
  if (!may_end && index != asked_)
    wrong("only " + std::to_string(index) + " of " + std::to_string(asked_) + " requests were answered");
}

// What is marked as the origin's is the origin's, and whole if it looks whole. All else is said by us, and says so.
void Conversation::check_answer(const Message& answer, const PlannedExchange& planned) const {
  std::optional<std::string> marked = answer.field("X-Exchange");
  if (!marked) {
    bool ours = answer.field("Server") == "waylay" || answer.field("X-Rule") == "mock";
    if (!ours) wrong("an answer that nobody gave: " + answer.start_line());
    return;
  }
  if (*marked != planned.name) wrong("the answer to " + planned.name + " is that of " + *marked);
  bool rewritten = planned.status == 200 && answer.status() == 429 && answer.field("X-Rule") == "status";
  if (answer.status() != planned.status && !rewritten) wrong("another status: " + answer.start_line());
  std::string content = planned.response_content();
  if (content.compare(0, answer.content.size(), answer.content) != 0)
    wrong("another body in the answer to " + planned.name);
  // A rule's FIN ends an answer that lasts until the connection's end as the origin's would.
  bool may_be_cut = answer.until_close && universe_.rules_break();
  if (answer.complete && !may_be_cut && answer.content.size() != content.size())
    wrong("the answer to " + planned.name + " looks complete with " + std::to_string(answer.content.size()) + " of " +
          std::to_string(content.size()) + " bytes");
}

std::string Conversation::describe() const {
  std::string out =
      "conversation " + std::to_string(number_) + (stormy_ ? ", stormy" : ", calm") + (troubled_ ? ", troubled" : "") +
      ": flow " + std::string(flow::to_string(flow_->facts().outcome)) + (flow_->finished() ? " finished" : "") +
      (flow_->facts().reason.empty() ? "" : " (" + flow_->facts().reason + ")") + "; asked " + std::to_string(asked_) +
      "/" + std::to_string(plan_.size()) + ", answered " + std::to_string(final_answers()) + "; client" +
      (client_.fin ? " fin" : "") + (client_.eof ? " eof" : "") + (client_.lost ? " lost" : "") +
      (client_.failed ? " failed" : "") + (client_.close_notify ? " close_notify" : "");
  for (const Origin& origin : origins_)
    out += "; origin " + std::to_string(origin.id) + (origin.open ? " open" : " asked") + (origin.fin ? " fin" : "") +
           (origin.eof ? " eof" : "") + " then " + std::to_string(static_cast<int>(origin.then)) + " got " +
           std::to_string(origin.requests.between_messages()) + " answered " + std::to_string(origin.answered);
  return out + universe_.how_exchanges_ended(flow_->facts().id);
}

void Conversation::wrong(const std::string& what) const {
  found(what + "\n" + describe());
}

}  // namespace waylay::simulation
