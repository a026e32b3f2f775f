#include "flow/flow.h"

#include <openssl/ssl.h>

#include <algorithm>

#include "base/check.h"
#include "flow/h1_relay.h"
#include "flow/h2_relay.h"
#include "flow/subject.h"
#include "tls/alert.h"

namespace waylay::flow {
namespace {

// A client that says nothing for so long may be waiting for the server to speak first (SMTP, MySQL): passed through.
constexpr int64_t kSilence_ns = 3 * kSecond_ns;
// From accept to the end of both handshakes; the kernel's own time-out for an unanswered SYN is about as long.
constexpr int64_t kHandshake_ns = 60 * kSecond_ns;
// An end of the connection so soon after the handshake, without one byte, is a refusal (Node looks at the certificate
// then).
constexpr int64_t kRefusalWindow_ns = 2 * kSecond_ns;
// One side has ended and the other says nothing: nobody may be there any more. A closed client looks like one that has
// half-closed and waits; its own kernel would have forgotten it after a minute (tcp_fin_timeout).
constexpr int64_t kHalfClosed_ns = 300 * kSecond_ns;
// Pieces below this are gathered into one TLS record, larger ones are sealed at once without another copy.
constexpr size_t kGather = 8 * 1024;

// For an answer to "what do you speak?" where a rule may make the upstream unnecessary: whoever is slower is answered
// for.
constexpr int64_t kProtocol_ns = 3 * kSecond_ns;

constexpr std::string_view kEchRequired =
    "client ended with ech_required: its hidden name cannot be read here, and it may come again without hiding it";

constexpr std::string_view kHttp1 = "http/1.1", kHttp2 = "h2";

// What of a client's offer we decrypt, in its order.
std::vector<std::string> decrypted_of(const std::vector<std::string>& alpn) {
  std::vector<std::string> both;
  for (const std::string& protocol : alpn) {
    if (protocol == kHttp1 || protocol == kHttp2) both.push_back(protocol);
  }
  return both;
}

// No ALPN means HTTP/1.1.
std::string_view spoken(std::string_view alpn) {
  return alpn.empty() ? kHttp1 : alpn;
}

// RFC 8446 section 6.2: whoever finds the other's records wrong says so before it closes. A reset would overtake that.
bool alert_waits(const std::optional<tls::Channel>& channel, const ByteQueue& output) {
  bool judged = channel && channel->state() == tls::Channel::State::Failed && channel->received_alert() < 0;
  return judged && !output.empty();
}

TlsFacts tls_facts(const tls::Channel& channel) {
  return {std::string(channel.version()), std::string(channel.cipher()), std::string(channel.alpn()),
          channel.resumed()};
}

}  // namespace

Flow::Flow(Environment& environment, FlowFacts facts, Settings settings, Time now)
    : environment_(environment), facts_(std::move(facts)), settings_(settings), now_(now) {
  facts_.id = environment_.identifiers.next_flow();
  facts_.opened = now;
  handshake_deadline_ns_ = now.steady_ns + kSilence_ns;
  publish();
}

Flow::~Flow() = default;

// --- Events ---

void Flow::on_client_bytes(Bytes bytes, Time now) {
  now_ = now;
  if (client_gone_) return;
  last_moved_ns_ = now.steady_ns;
  facts_.bytes_from_client += bytes.size();
  note_bytes(facts_.from_client, bytes);
  switch (state_) {
    case State::AwaitingHello:
      hello_.append(bytes);
      read_hello();
      break;
    case State::HoldingHello:
    case State::ConnectingUpstream:
    case State::UpstreamHandshake:
    case State::AwaitingLeaf:
      hello_.append(bytes);
      break;
    case State::ClientHandshake:
    case State::Relaying:
      pump_client(bytes);
      break;
    case State::PassingThrough:
      if (upstream_ == Upstream::Open) {
        to_upstream_.append(bytes);
      } else {
        hello_.append(bytes);
      }
      break;
    case State::Ended:
      break;
  }
  settle();
}

void Flow::on_client_eof(Time now) {
  now_ = now;
  last_moved_ns_ = now.steady_ns;
  client_eof_ = true;
  switch (state_) {
    case State::AwaitingHello:
      fail(hello_.empty() ? "client closed the connection without a byte"
                          : "client closed the connection in its ClientHello");
      break;
    case State::HoldingHello:
    case State::ConnectingUpstream:
    case State::UpstreamHandshake:
    case State::AwaitingLeaf:
      fail("client closed the connection before it was answered");
      break;
    case State::ClientHandshake:
      client_gone_in_handshake("closed the connection");
      break;
    case State::Relaying:
      client_said_all();
      break;
    case State::PassingThrough:
      if (upstream_ == Upstream::Open) commands_.push_back(ShutdownUpstream{upstream_id_});
      break;
    case State::Ended:
      break;
  }
  settle();
}

void Flow::on_client_failed(const Error& error, Time now) {
  now_ = now;
  client_gone_ = true;
  switch (state_) {
    case State::ClientHandshake:
      client_gone_in_handshake("broke the connection (" + error.message + ")");
      break;
    case State::Relaying:
      look_for_silent_refusal();
      relay_->on_client_end(true, now);
      break;
    case State::PassingThrough:
      drop_upstream(true);
      break;
    case State::Ended:
      break;
    default:
      fail("client: " + error.message);
      break;
  }
  settle();
}

void Flow::on_upstream_connected(UpstreamId id, Time now) {
  if (id != upstream_id_ || upstream_ != Upstream::Connecting) return;
  now_ = now;
  if (state_ == State::PassingThrough) {
    upstream_ = Upstream::Open;
    to_upstream_.append(hello_.bytes());
    hello_.clear();
    if (client_eof_) commands_.push_back(ShutdownUpstream{upstream_id_});
    return;
  }
  start_upstream_handshake();
  settle();
}

void Flow::on_upstream_failed(UpstreamId id, Error error, Time now) {
  if (id != upstream_id_ || upstream_ == Upstream::Gone) return;
  now_ = now;
  upstream_lost(false, std::move(error));
  settle();
}

void Flow::on_upstream_bytes(UpstreamId id, Bytes bytes, Time now) {
  if (id != upstream_id_ || upstream_ == Upstream::Gone) return;
  now_ = now;
  last_moved_ns_ = now.steady_ns;
  facts_.bytes_from_upstream += bytes.size();
  note_bytes(facts_.from_upstream, bytes);
  if (state_ == State::PassingThrough) {
    to_client_.append(bytes);
  } else {
    pump_upstream(bytes);
  }
  settle();
}

void Flow::on_upstream_eof(UpstreamId id, Time now) {
  if (id != upstream_id_ || upstream_ == Upstream::Gone) return;
  now_ = now;
  last_moved_ns_ = now.steady_ns;
  upstream_eof_ = true;
  if (state_ == State::PassingThrough) {
    commands_.push_back(ShutdownClient{});
  } else {
    upstream_lost(upstream_channel_ && !upstream_channel_->truncated(), std::nullopt);
  }
  settle();
}

void Flow::on_handler_answer(uint64_t exchange, Result<hook::Answer> answer, Time now) {
  now_ = now;
  if (relay_) relay_->on_handler_answer(exchange, std::move(answer), now);
  settle();
}

void Flow::on_leaf(Result<std::shared_ptr<const tls::Leaf>> leaf, Time now) {
  now_ = now;
  if (state_ != State::AwaitingLeaf) return;
  if (!leaf) {
    fail("no certificate for " + facts_.server_name + ": " + leaf.error().message);
    return settle();
  }
  std::string scope = std::to_string(facts_.target) + "|" + facts_.server_name;
  Result<tls::Channel> channel = environment_.client_tls.accept(**leaf, alpn_, scope, &to_client_);
  if (!channel) {
    fail(channel.error().message);
    return settle();
  }
  client_channel_.emplace(std::move(*channel));
  state_ = State::ClientHandshake;
  ByteQueue hello;
  hello.swap(hello_);
  pump_client(hello.bytes());
  settle();
}

void Flow::on_time(Time now) {
  now_ = now;
  if (!handshaking()) {
    if (upstream_is_coming() && now.steady_ns >= upstream_deadline_ns_)
      upstream_lost(false, Error::upstream(ErrorKind::Timeout, "no handshake within 60 s"));
    if (relay_) relay_->on_time(now);
    if (half_closed() && now.steady_ns >= last_moved_ns_ + kHalfClosed_ns) give_up("half-closed and silent for 300 s");
  } else if (state_ == State::HoldingHello) {
    if (now.steady_ns >= held_until_ns_) go_on_after_hello();
  } else if (now.steady_ns >= handshake_deadline_ns_) {
    if (state_ == State::AwaitingHello && hello_.empty()) {
      pass_through("client sent nothing for 3 s: the server may have to speak first");
    } else if (asks_protocol_) {
      go_on_without_upstream();
    } else {
      fail("no handshake within " + std::to_string((now.steady_ns - facts_.opened.steady_ns) / kSecond_ns) + " s");
    }
  }
  settle();
}

void Flow::on_owner(Owner owner) {
  facts_.owner = std::move(owner);
  publish();
}

void Flow::on_sent(Time now) {
  last_moved_ns_ = now.steady_ns;
}

void Flow::on_writable(Time now) {
  now_ = now;
  on_sent(now);
  if (state_ != State::Relaying) return;
  relay_->on_writable(now);
  settle();
}

void Flow::on_no_more_upstreams(Time now) {
  now_ = now;
  if (state_ != State::Relaying) return;
  relay_->on_no_more_upstreams(now);
  settle();
}

void Flow::on_detached(Time now) {
  now_ = now;
  if (state_ == State::Ended) return;
  give_up("detached");
  settle();
}

// --- Output ---

ByteQueue& Flow::to_upstream(UpstreamId id) {
  if (id == upstream_id_) return to_upstream_;
  nothing_.clear();
  return nothing_;
}

std::optional<Command> Flow::next_command() {
  if (commands_.empty()) return std::nullopt;
  Command command = std::move(commands_.front());
  commands_.pop_front();
  return command;
}

bool Flow::wants_client_bytes() const {
  switch (state_) {
    case State::AwaitingHello:
      return true;
    // The client has its turn behind it: more than a little 0-RTT or an alert does not come before our answer.
    case State::HoldingHello:
    case State::ConnectingUpstream:
    case State::UpstreamHandshake:
    case State::AwaitingLeaf:
      return hello_.size() < tls::kMaxClientHelloBytes;
    case State::ClientHandshake:
      return true;
    case State::Relaying:
      return relay_->wants_client_bytes();
    case State::PassingThrough:
      return hello_.size() < tls::kMaxClientHelloBytes && !upstream_is_behind();
    case State::Ended:
      return false;
  }
  return false;
}

bool Flow::wants_upstream_bytes(UpstreamId id) const {
  if (id != upstream_id_ || upstream_ == Upstream::Gone) return false;
  if (relay_) return relay_->wants_upstream_bytes();
  return !client_is_behind() && upstream_early_.size() < kQueueLimit;
}

// What nobody will take any more holds nothing up.
bool Flow::upstream_is_behind() const {
  return upstream_ != Upstream::Gone && to_upstream_.size() >= kQueueLimit;
}

std::optional<int64_t> Flow::deadline_ns() const {
  if (state_ == State::HoldingHello) return held_until_ns_;
  if (handshaking()) return handshake_deadline_ns_;
  std::optional<int64_t> first = relay_ ? relay_->deadline_ns() : std::nullopt;
  auto not_later_than = [&](int64_t limit_ns) { first = std::min(first.value_or(limit_ns), limit_ns); };
  if (upstream_is_coming()) not_later_than(upstream_deadline_ns_);
  if (half_closed()) not_later_than(last_moved_ns_ + kHalfClosed_ns);
  return first;
}

bool Flow::upstream_is_coming() const {
  return upstream_ == Upstream::Connecting || upstream_ == Upstream::Handshake;
}

// A rule that holds an exchange back is no silence.
bool Flow::half_closed() const {
  if (state_ == State::PassingThrough) return client_eof_ || upstream_eof_;
  bool one_ended = client_eof_ || upstream_said_all_;
  return one_ended && state_ != State::Ended && relay_ && !relay_->deadline_ns();
}

bool Flow::handshaking() const {
  return state_ < State::Relaying;
}

// --- Deciding ---

void Flow::read_hello() {
  handshake_deadline_ns_ = facts_.opened.steady_ns + kHandshake_ns;
  Result<std::optional<tls::ClientHello>> parsed = tls::parse_client_hello(hello_.bytes());
  if (!parsed) return pass_through(parsed.error().message);
  if (!*parsed) return;
  tls::ClientHello& hello = **parsed;
  named_ = !hello.server_name.empty();
  facts_.server_name = named_ ? hello.server_name : facts_.destination.ip_text();
  facts_.alpn_offered = std::move(hello.alpn);
  facts_.tls_version_offered = hello.tls13 ? 0x0304 : hello.tls12 ? 0x0303 : hello.legacy_version;
  facts_.ja4 = std::move(hello.ja4);
  facts_.ech_offered = hello.has_ech;
  leaf_key_ = tls::leaf_key_for(hello, environment_.client_policy.leaf_key);

  if (!obey_rules()) return;
  if (!settings_.insist) {
    if (std::optional<std::string> reason = environment_.rejections.reason_to_pass(rejection_key(), now_))
      return pass_through(*reason);
  }
  if (!facts_.alpn_offered.empty() && decrypted_of(facts_.alpn_offered).empty())
    return pass_through("client speaks " + facts_.alpn_offered.front() + " only, which is not decrypted");
  if (hello.has_ech && environment_.client_policy.ech == tls::EchPolicy::Passthrough)
    return pass_through("client offers an encrypted ClientHello, which is configured to be left alone");
  if (!hello.tls12 && !hello.tls13) return pass_through("client offers no TLS version above 1.1");
  if (tls_fault_.delay_ns == 0) return go_on_after_hello();
  state_ = State::HoldingHello;
  held_until_ns_ = now_.steady_ns + tls_fault_.delay_ns;
  publish();
}

// What rules want of the connection itself. False: they have decided everything.
bool Flow::obey_rules() {
  std::shared_ptr<const rules::RuleSet> rules = environment_.rules.current();
  if (rules->empty()) return true;
  rules::ConnectionPlan plan = rules->plan_connection(Subject(facts_), now_);
  for (rules::Applied& applied : plan.applied)
    facts_.applied.push_back({std::move(applied.rule), std::move(applied.what), applied.injected});
  tls_fault_ = plan.tls;
  redirect_ = elsewhere_ = std::move(plan.upstream);
  if (plan.block == rules::Block::Reset) {
    refuse_by_rule("blocked", std::nullopt);
  } else if (plan.block) {
    refuse_by_rule("blocked", static_cast<uint8_t>(tls::Alert::AccessDenied));
  } else if (plan.passthrough) {
    pass_through("rule " + facts_.applied.back().rule + " passes it through");
  }
  return !plan.block && !plan.passthrough;
}

// Nothing is sent upstream; the client gets the alert or a reset.
void Flow::refuse_by_rule(const std::string& what, std::optional<uint8_t> alert) {
  facts_.outcome = Outcome::Failed;
  facts_.reason = what + " by rule " + facts_.applied.back().rule;
  if (!alert) return drop_client(ResetClient{});
  tls::append_fatal_alert(to_client_, static_cast<tls::Alert>(*alert));
  drop_client(CloseClient{});
}

void Flow::go_on_after_hello() {
  handshake_deadline_ns_ = now_.steady_ns + kHandshake_ns;
  if (tls_fault_.alert) return refuse_by_rule("refused with an alert", tls_fault_.alert);
  intercept();
}

void Flow::pass_through(std::string reason) {
  state_ = State::PassingThrough;
  facts_.outcome = Outcome::PassedThrough;
  facts_.reason = std::move(reason);
  facts_.from_client.records.add(hello_.bytes());
  publish();
  connect_upstream();
}

void Flow::intercept() {
  publish();
  std::shared_ptr<const rules::RuleSet> rules = environment_.rules.current();
  lazy_ = !rules->empty() && rules->may_answer(Subject(facts_), now_);
  if (lazy_ && protocol_is_known()) return request_leaf(nullptr);
  asks_protocol_ = lazy_;
  if (asks_protocol_) handshake_deadline_ns_ = now_.steady_ns + kProtocol_ns;
  state_ = State::ConnectingUpstream;
  connect_upstream();
}

// Of a lazy upstream: the client can be answered at once only if it leaves no choice, or if this upstream has been
// asked before.
bool Flow::protocol_is_known() {
  std::vector<std::string> choice = decrypted_of(facts_.alpn_offered);
  if (choice.empty()) return true;
  if (choice.size() == 1) {
    alpn_ = choice[0];
    return true;
  }
  std::optional<std::string> last = environment_.protocols.last(upstream_key());
  if (last) alpn_ = *last;
  return last.has_value();
}

// It was asked what it speaks and does not answer: a rule may still answer in its place.
void Flow::go_on_without_upstream() {
  asks_protocol_ = false;
  handshake_deadline_ns_ = facts_.opened.steady_ns + kHandshake_ns;
  drop_upstream(true);
  handshake_without_upstream();
}

// In what every client speaks, if this one does.
void Flow::handshake_without_upstream() {
  lazy_ = true;
  std::vector<std::string> choice = decrypted_of(facts_.alpn_offered);
  bool only_http2 = choice.size() == 1 && choice[0] == kHttp2;
  if (!choice.empty()) alpn_ = only_http2 ? kHttp2 : kHttp1;
  request_leaf(nullptr);
}

// --- The upstream's side ---

void Flow::connect_upstream() {
  upstream_ = Upstream::Connecting;
  upstream_deadline_ns_ = now_.steady_ns + kHandshake_ns;
  upstream_eof_ = upstream_said_all_ = false;
  ++upstream_id_;
  to_upstream_.clear();
  upstream_plain_.clear();
  upstream_early_.clear();
  commands_.push_back(ConnectUpstream{upstream_id_, upstream_address()});
}

Address Flow::upstream_address() const {
  return elsewhere_ ? elsewhere_->to(facts_.destination) : facts_.destination;
}

// Before the client was answered all that it offers, afterwards what it was told.
std::vector<std::string> Flow::protocols_to_offer() const {
  if (facts_.alpn_offered.empty()) return {};
  if (state_ == State::ConnectingUpstream) return decrypted_of(facts_.alpn_offered);
  return {std::string(spoken(alpn_))};
}

std::string Flow::upstream_key() const {
  return std::to_string(facts_.target) + "|" + upstream_address().to_string() + "|" + facts_.server_name;
}

void Flow::start_upstream_handshake() {
  tls::UpstreamName name;
  name.host = elsewhere_ && elsewhere_->rewrite_sni ? elsewhere_->host : facts_.server_name;
  name.session_scope = std::to_string(facts_.target) + "|" + upstream_address().to_string();
  // Of a client that named nobody only the client knows whom it means: it judges the names in the mirrored leaf.
  name.names_are_shown = !named_ && state_ == State::ConnectingUpstream;
  name.alpn = protocols_to_offer();
  Result<tls::Channel> channel = environment_.upstream_tls.connect(name, &to_upstream_);
  if (!channel) return upstream_lost(false, std::move(channel).error());
  upstream_channel_.emplace(std::move(*channel));
  upstream_ = Upstream::Handshake;
  if (state_ == State::ConnectingUpstream) state_ = State::UpstreamHandshake;
  if (upstream_channel_->start() == tls::Channel::Event::Failed) upstream_handshake_failed();
}

void Flow::pump_upstream(Bytes bytes) {
  if (!upstream_channel_) return;
  upstream_channel_->put(bytes);
  for (;;) {
    Bytes plaintext;
    switch (upstream_channel_->next(environment_.scratch, plaintext)) {
      case tls::Channel::Event::NeedMore:
        return;
      case tls::Channel::Event::HandshakeDone:
        upstream_handshake_done();
        break;
      case tls::Channel::Event::Plaintext:
        if (relay_) {
          relay_->on_upstream_bytes(plaintext, now_);
        } else {
          upstream_early_.append(plaintext);
        }
        break;
      case tls::Channel::Event::CloseNotify:
        upstream_lost(true, std::nullopt);
        break;
      case tls::Channel::Event::Failed:
        if (upstream_ == Upstream::Handshake) return upstream_handshake_failed();
        return upstream_lost(false, upstream_channel_->error());
    }
    // The channel may be gone with its connection, or another connection be on its way.
    if (upstream_ != Upstream::Handshake && upstream_ != Upstream::Open) return;
  }
}

void Flow::upstream_handshake_done() {
  upstream_ = Upstream::Open;
  facts_.upstream_tls = tls_facts(*upstream_channel_);
  facts_.client_certificate = upstream_channel_->sent_client_certificate();
  std::string_view speaks = spoken(upstream_channel_->alpn());
  if (!elsewhere_ && decrypted_of(facts_.alpn_offered).size() > 1)
    environment_.protocols.remember(upstream_key(), std::string(speaks));
  if (state_ == State::UpstreamHandshake) {
    asks_protocol_ = false;
    handshake_deadline_ns_ = facts_.opened.steady_ns + kHandshake_ns;
    alpn_ = std::string(upstream_channel_->alpn());
    return request_leaf(upstream_channel_->peer_certificate());
  }
  publish();
  // What it spoke last was what the client was told. The next connection will know better.
  if (speaks != spoken(alpn_)) {
    std::string why = "the upstream speaks " + std::string(speaks) + " now, the client was told " + alpn_;
    return upstream_lost(false, Error::upstream(ErrorKind::Protocol, std::move(why)));
  }
  if (relay_) relay_->on_upstream_ready(now_);
}

void Flow::upstream_handshake_failed() {
  Error error = upstream_channel_->error();
  int alert = upstream_channel_->received_alert();
  if (relay_ || asks_protocol_ || environment_.error_page) return upstream_lost(false, std::move(error));
  // What the upstream said is passed on; a certificate that we refuse is a handshake_failure (RFC 8446 section 6.2).
  refuse_client(error, alert >= 0 ? static_cast<tls::Alert>(alert) : tls::Alert::HandshakeFailure);
}

// The upstream's end, at whatever time: clean with close_notify, a plain FIN, or an error.
void Flow::upstream_lost(bool clean_end, std::optional<Error> error) {
  if (upstream_ == Upstream::Gone) return;
  bool broken = error && upstream_ != Upstream::Handshake && !alert_waits(upstream_channel_, to_upstream_);
  if (upstream_said_all_) {
    if (error) tunnel_is_over(broken);
    return;
  }
  if (clean_end && client_may_go_on()) return upstream_said_all();
  bool was_connecting = upstream_ == Upstream::Connecting;
  if (state_ == State::PassingThrough) {
    if (was_connecting) facts_.reason += "; upstream: " + (error ? error->message : "closed");
    drop_upstream(true);
    return drop_client(ResetClient{});
  }
  note_tls_failure();
  if (relay_) {
    drop_upstream(broken);
    return relay_->on_upstream_end(clean_end, std::move(error), now_);
  }
  if (asks_protocol_) return go_on_without_upstream();
  if (lazy_) {  // another is connected when an exchange needs it
    upstream_early_.clear();
    return drop_upstream(broken);
  }
  std::string why = error ? "upstream: " + error->message : "upstream closed the connection during the handshake";
  if (may_show_error_page()) return show_error_page(std::move(why), broken);
  // Unreachable or refused: the client is reset, as the network would do.
  fail(std::move(why));
}

// RFC 8446 section 6.1: close_notify ends one direction. As in what is passed through, the other one of a tunnel goes
// on.
bool Flow::client_may_go_on() const {
  return relay_ && relay_->tunnels() && !client_gone_ && !client_eof_ && client_channel_->truncated();
}

void Flow::upstream_said_all() {
  upstream_said_all_ = true;
  flush_into(client_channel_, client_plain_);
  client_channel_->shutdown();
  commands_.push_back(ShutdownClient{});
}

// Both have said all, or the upstream is gone for good after it has.
void Flow::tunnel_is_over(bool broken) {
  upstream_said_all_ = false;
  drop_upstream(broken);
  relay_->on_upstream_end(true, std::nullopt, now_);
}

void Flow::note_tls_failure() {
  if (!upstream_channel_) return;
  tls::Cause cause = upstream_channel_->cause();
  if (cause == tls::Cause::None && upstream_ == Upstream::Handshake) cause = tls::Cause::Handshake;
  if (cause == tls::Cause::None) return;
  facts_.tls_failure = cause;
  publish();
}

bool Flow::may_show_error_page() const {
  bool waiting = state_ == State::ConnectingUpstream || state_ == State::UpstreamHandshake;
  return waiting && environment_.error_page;
}

// The client's handshake goes on without the upstream. Its first request asks for the upstream again, which then either
// comes or fails with a reason that can be told.
void Flow::show_error_page(std::string why, bool reset_upstream) {
  facts_.reason = std::move(why);
  drop_upstream(reset_upstream);
  handshake_without_upstream();
}

// --- The client's side ---

void Flow::request_leaf(X509* mirror) {
  state_ = State::AwaitingLeaf;
  commands_.push_back(RequestLeaf{facts_.server_name, mirror, tls_fault_.certificate, leaf_key_});
}

void Flow::pump_client(Bytes bytes) {
  if (!client_channel_) return;
  client_channel_->put(bytes);
  for (;;) {
    Bytes plaintext;
    switch (client_channel_->next(environment_.scratch, plaintext)) {
      case tls::Channel::Event::NeedMore:
        return;
      case tls::Channel::Event::HandshakeDone:
        client_handshake_done();
        break;
      case tls::Channel::Event::Plaintext:
        if (!std::exchange(client_talks_, true) && !settings_.insist)
          environment_.rejections.accepted(rejection_key(), now_);
        relay_->on_client_bytes(plaintext, now_);
        break;
      case tls::Channel::Event::CloseNotify:
        if (!relay_) return client_gone_in_handshake("closed the connection");
        client_said_all();
        break;
      case tls::Channel::Event::Failed:
        if (!relay_) return client_gone_in_handshake(client_channel_->error().message);
        if (relay_->exchanges() == 0 && client_channel_->peer_rejected_certificate())
          learn_refusal(client_channel_->error().message);
        if (client_wants_ech()) facts_.reason = kEchRequired;
        relay_->on_client_end(true, now_);
        return;
    }
    if (state_ == State::Ended || client_gone_) return;
  }
}

void Flow::client_said_all() {
  look_for_silent_refusal();
  relay_->on_client_end(false, now_);
  if (upstream_said_all_) tunnel_is_over(false);
}

void Flow::client_handshake_done() {
  handshake_done_ns_ = now_.steady_ns;
  facts_.client_tls = tls_facts(*client_channel_);
  facts_.outcome = Outcome::Intercepted;
  state_ = State::Relaying;
  publish();
  make_relay();
  if (upstream_ == Upstream::Open) relay_->on_upstream_ready(now_);
  ByteQueue early;
  early.swap(upstream_early_);
  if (!early.empty()) relay_->on_upstream_bytes(early.bytes(), now_);
  if (upstream_ == Upstream::Gone && !lazy_) relay_->on_upstream_end(!upstream_eof_, std::nullopt, now_);
}

void Flow::make_relay() {
  Relay::Link& link = *this;  // the base is private: only here may it be named
  Relay::Context context{link,
                         environment_.rules,
                         environment_.recorder,
                         environment_.identifiers,
                         published_,
                         Relay::Options{.lazy = lazy_, .error_page = environment_.error_page}};
  if (client_channel_->alpn() == kHttp2) {
    relay_ = std::make_unique<H2Relay>(std::move(context));
  } else {
    relay_ = std::make_unique<H1Relay>(std::move(context));
  }
}

void Flow::client_gone_in_handshake(const std::string& what) {
  tls::Channel::Rejection rejection = client_channel_->rejection();
  std::string reason = "client " + what + " during the handshake";
  if (rejection == tls::Channel::Rejection::Alert) reason = client_channel_->error().message;
  if (client_wants_ech()) reason = kEchRequired;
  if (rejection != tls::Channel::Rejection::None) learn_refusal(reason);
  fail(std::move(reason));
}

bool Flow::client_wants_ech() const {
  return client_channel_->received_alert() == static_cast<int>(tls::Alert::EchRequired);
}

// The client ended a finished handshake without a byte, which is a refusal only when it comes at once.
void Flow::look_for_silent_refusal() {
  bool soon = now_.steady_ns - handshake_done_ns_ < kRefusalWindow_ns;
  if (!soon || client_talks_ || client_channel_->rejection() == tls::Channel::Rejection::None) return;
  learn_refusal("client closed the connection right after it saw our certificate");
}

void Flow::learn_refusal(std::string reason) {
  if (settings_.insist || tls_fault_.certificate != rules::TlsFault::Certificate::Right) return;
  facts_.reason = reason;
  reason.insert(0, "this process refused our certificate before: ");
  if (client_channel_->peer_rejected_certificate()) {
    environment_.rejections.learn(rejection_key(), std::move(reason), now_);
  } else {
    environment_.rejections.guess(rejection_key(), std::move(reason), now_);
  }
}

Rejections::Key Flow::rejection_key() const {
  std::string client = facts_.owner.pid == 0 ? facts_.client.ip_text() : "";
  return {facts_.target, facts_.owner.pid, std::move(client), facts_.server_name};
}

// --- Ending ---

// Before the client's handshake: the alert is all the client gets.
void Flow::refuse_client(const Error& error, tls::Alert alert) {
  note_tls_failure();
  facts_.outcome = Outcome::Failed;
  facts_.reason = "upstream: " + error.message;
  tls::append_fatal_alert(to_client_, alert);
  drop_upstream(false);
  drop_client(CloseClient{});
}

void Flow::fail(std::string reason) {
  facts_.outcome = Outcome::Failed;
  facts_.reason = std::move(reason);
  drop_upstream(true);
  // An alert of ours may be waiting to be sent; without one the connection is reset as the network would.
  if (client_channel_ && !to_client_.empty()) return drop_client(CloseClient{});
  drop_client(ResetClient{});
}

// Both sides are closed at once.
void Flow::give_up(std::string reason) {
  facts_.reason = std::move(reason);
  if (relay_) relay_->on_client_end(true, now_);
  drop_upstream(true);
  drop_client(ResetClient{});
}

void Flow::drop_upstream(bool reset) {
  if (upstream_ == Upstream::None || upstream_ == Upstream::Gone) return;
  if (sockets_) facts_.upstream_tcp = sockets_->upstream_tcp(upstream_id_);
  if (!reset) say_all_to_upstream();
  upstream_plain_.clear();
  upstream_ = Upstream::Gone;
  commands_.push_back(CloseUpstream{upstream_id_, reset});
}

// What a tunnel's client sent may not be all of it: the upstream is to see that as well. A request has its own end.
void Flow::say_all_to_upstream() {
  flush_into(upstream_channel_, upstream_plain_);
  bool cut_off = relay_ && relay_->tunnels() && client_eof_ && client_channel_->truncated();
  if (upstream_channel_ && !cut_off) upstream_channel_->shutdown();
}

void Flow::drop_client(Command how) {
  client_gone_ = true;
  if (std::exchange(client_dropped_, true)) return;
  if (sockets_) facts_.client_tcp = sockets_->client_tcp();
  commands_.push_back(std::move(how));
}

void Flow::end_if_done() {
  if (state_ == State::Ended) return;
  if (state_ == State::PassingThrough && client_eof_ && upstream_eof_) {
    drop_upstream(false);
    drop_client(CloseClient{});
  }
  bool upstream_over = upstream_ == Upstream::None || upstream_ == Upstream::Gone;
  if (!client_gone_ || !upstream_over) return;
  state_ = State::Ended;
  facts_.closed = now_;
  facts_.exchanges = relay_ ? relay_->exchanges() : 0;
  publish();
}

void Flow::note_bytes(Traffic& traffic, Bytes bytes) {
  if (traffic.first.steady_ns == 0) traffic.first = now_;
  traffic.last = now_;
  if (state_ == State::PassingThrough) traffic.records.add(bytes);
}

void Flow::publish() {
  if (relay_) facts_.exchanges = relay_->exchanges();
  published_ = std::make_shared<const FlowFacts>(facts_);
  if (relay_) relay_->set_flow(published_);
  environment_.recorder.flow_changed(published_);
}

// What every event ends with.
void Flow::settle() {
  flush_into(client_channel_, client_plain_);
  flush_into(upstream_channel_, upstream_plain_);
  end_if_done();
}

void Flow::flush_into(std::optional<tls::Channel>& channel, ByteQueue& plain) {
  if (plain.empty()) return;
  // A failing write means that the channel has failed already; its end arrives as an event of its own.
  if (channel && !channel->shutdown_sent()) (void)channel->write(plain.bytes());
  plain.clear();
}

// --- Relay::Link ---

bool Flow::client_is_behind() const {
  return to_client_.size() >= kQueueLimit;
}

void Flow::to_client(Bytes plaintext) {
  if (client_plain_.empty() && plaintext.size() >= kGather) {
    (void)client_channel_->write(plaintext);
    return;
  }
  client_plain_.append(plaintext);
  if (client_plain_.size() >= kGather) flush_into(client_channel_, client_plain_);
}

void Flow::to_upstream(Bytes plaintext) {
  if (!upstream_channel_ || upstream_ != Upstream::Open) return;
  if (upstream_plain_.empty() && plaintext.size() >= kGather) {
    (void)upstream_channel_->write(plaintext);
    return;
  }
  upstream_plain_.append(plaintext);
  if (upstream_plain_.size() >= kGather) flush_into(upstream_channel_, upstream_plain_);
}

void Flow::need_upstream(const rules::Redirect* elsewhere) {
  CHECK(upstream_ == Upstream::None || upstream_ == Upstream::Gone);
  upstream_channel_.reset();
  elsewhere_ = elsewhere ? *elsewhere : redirect_;
  connect_upstream();
}

void Flow::close_client(bool with_close_notify) {
  flush_into(client_channel_, client_plain_);
  if (with_close_notify) client_channel_->shutdown();
  drop_client(CloseClient{});
}

void Flow::reset_client() {
  client_plain_.clear();
  if (alert_waits(client_channel_, to_client_)) return drop_client(CloseClient{});
  drop_client(ResetClient{});
}

void Flow::shutdown_upstream() {
  if (!upstream_channel_ || upstream_ != Upstream::Open) return;
  say_all_to_upstream();
  commands_.push_back(ShutdownUpstream{upstream_id_});
}

void Flow::close_upstream(bool reset) {
  drop_upstream(reset);
}

void Flow::call_handler(uint64_t exchange, std::shared_ptr<const rules::Handler> handler, std::string event) {
  commands_.push_back(CallHandler{exchange, std::move(handler), std::move(event)});
}

void Flow::cancel_handler(uint64_t exchange) {
  commands_.push_back(CancelHandler{exchange});
}

}  // namespace waylay::flow
