#include "flow/support_playbook.h"

#include <gtest/gtest.h>
#include <openssl/x509.h>

#include <algorithm>

#include "base/check.h"

namespace waylay::flow {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().message;
    std::abort();
  }
  return std::move(*result);
}

tls::CertificateAuthority make_ca(const std::string& host) {
  tls::CaOptions options;
  options.host = host;
  return must(tls::CertificateAuthority::make(options, now()));
}

tls::UpstreamContext trusting(const tls::CertificateAuthority& ca) {
  tls::UpstreamOptions options;
  options.use_system_roots = false;
  options.extra_roots_pem = must(ca.certificate_pem());
  return must(tls::UpstreamContext::create(options));
}

std::string name_of(const Command& command) {
  struct Namer {
    std::string operator()(const ConnectUpstream& c) { return "ConnectUpstream " + c.to.to_string(); }
    std::string operator()(const RequestLeaf& c) {
      bool faulty = c.kind != rules::TlsFault::Certificate::Right;
      return "RequestLeaf " + c.name + (c.mirror ? " mirrored" : "") + (faulty ? " faulty" : "");
    }
    std::string operator()(const ShutdownUpstream&) { return "ShutdownUpstream"; }
    std::string operator()(const CloseUpstream& c) { return c.reset ? "ResetUpstream" : "CloseUpstream"; }
    std::string operator()(const ShutdownClient&) { return "ShutdownClient"; }
    std::string operator()(const CloseClient&) { return "CloseClient"; }
    std::string operator()(const ResetClient&) { return "ResetClient"; }
    std::string operator()(const CallHandler& c) { return "CallHandler " + c.handler->url; }
    std::string operator()(const CancelHandler&) { return "CancelHandler"; }
  };
  return std::visit(Namer{}, command);
}

}  // namespace

TestWorld::TestWorld()
    : origin_ca(make_ca("origin")),
      waylay_ca(make_ca("waylay")),
      origin_minter(must(tls::LeafMinter::create(must(origin_ca.certificate_pem())))),
      waylay_minter(must(tls::LeafMinter::create(must(waylay_ca.certificate_pem())))),
      origin_context(must(tls::ClientContext::create(must(tls::TicketKeys::make(now()))))),
      client_side_context(must(tls::ClientContext::create(must(tls::TicketKeys::make(now()))))),
      upstream_context(trusting(origin_ca)),
      trusting_client_context(trusting(waylay_ca)),
      untrusting_client_context(trusting(origin_ca)) {}

TestWorld& TestWorld::instance() {
  static TestWorld world;
  return world;
}

std::shared_ptr<const tls::Leaf> TestWorld::leaf(tls::CertificateAuthority& ca, tls::LeafMinter& minter,
                                                 const std::string& name, X509* mirror, Time when, tls::LeafKey key) {
  tls::UnsignedLeaf prepared = must(minter.prepare({name, mirror, key}, when));
  std::vector<std::byte> signature = must(ca.sign(prepared.tbs()));
  return must(minter.finish(std::move(prepared), signature));
}

Playbook::Playbook(Setup setup) : setup_(std::move(setup)), scratch_(17 * 1024) {
  now_.wall_ns = now().wall_ns;
  if (setup_.origin_name.empty()) setup_.origin_name = setup_.name;
  if (!setup_.rules.empty()) must(rules_.add(setup_.rules, "story", Time{}));
  Rejections& rejections = setup_.rejections ? *setup_.rejections : own_rejections_;
  UpstreamProtocols& protocols = setup_.protocols ? *setup_.protocols : own_protocols_;
  environment_.emplace(Environment{
      world_.client_side_context, setup_.upstream ? *setup_.upstream : world_.upstream_context, rules_, rejections,
      protocols, recording_, identifiers_, std::span<std::byte>(scratch_), setup_.error_page, setup_.client_policy});
  FlowFacts facts;
  facts.target = 1;
  facts.target_name = "docker:job";
  facts.owner.pid = 4711;
  facts.owner.comm = "python3";
  facts.owner.container_name = "job";
  facts.client = *Address::parse("127.0.0.1:40000");
  facts.destination = *Address::parse("192.0.2.10:443");
  flow_ = std::make_unique<Flow>(*environment_, std::move(facts), Settings{.insist = setup_.insist}, now_);

  tls::UpstreamName name{setup_.name, "story", setup_.client_alpn};
  tls::UpstreamContext& context =
      setup_.client_trusts_us ? world_.trusting_client_context : world_.untrusting_client_context;
  // Every story is a client of its own: no session of an earlier one is offered.
  static int stories = 0;
  name.session_scope += std::to_string(++stories);
  client_.emplace(setup_.client ? setup_.client(&client_out_) : must(context.connect(name, &client_out_)));
}

Playbook::~Playbook() = default;

void Playbook::client_says(std::string_view plaintext) {
  if (client_->state() == tls::Channel::State::Handshaking && client_out_.empty()) client_->start();
  run();
  Result<void> written = client_->write(as_bytes(plaintext));
  EXPECT_TRUE(written) << "the client could not write: " << client_error() << "\n" << transcript();
  run();
}

void Playbook::origin_says(std::string_view plaintext) {
  ASSERT_TRUE(origin_) << "nobody connected to the origin\n" << transcript();
  Result<void> written = origin_->write(as_bytes(plaintext));
  EXPECT_TRUE(written) << transcript();
  run();
}

void Playbook::client_sends_raw(std::string_view bytes) {
  raw_client_ = true;
  client_out_.append(bytes);
  run();
}

void Playbook::client_closes(bool with_close_notify) {
  if (with_close_notify && !raw_client_) client_->shutdown();
  client_fin_ = true;
  run();
}

void Playbook::client_resets() {
  flow_->on_client_failed(Error::client(ErrorKind::System, "Connection reset by peer"), now_);
  run();
}

void Playbook::origin_closes(bool with_close_notify) {
  if (with_close_notify && origin_) origin_->shutdown();
  origin_fin_ = true;
  run();
}

void Playbook::origin_resets() {
  flow_->on_upstream_failed(connected_, Error::upstream(ErrorKind::System, "Connection reset by peer"), now_);
  run();
}

void Playbook::origin_refuses_connections(std::string why) {
  refuse_ = std::move(why);
}

void Playbook::client_reads_again() {
  client_reads_ = true;
  run();
}

void Playbook::wait(int64_t milliseconds) {
  now_.steady_ns += milliseconds * kMillisecond_ns;
  now_.wall_ns += milliseconds * kMillisecond_ns;
  std::optional<int64_t> deadline = flow_->deadline_ns();
  if (deadline && *deadline <= now_.steady_ns) flow_->on_time(now_);
  run();
}

void Playbook::run() {
  if (!raw_client_ && client_->state() == tls::Channel::State::Handshaking && connections_ == 0 && commands_.empty() &&
      client_out_.empty())
    client_->start();
  bool moved = true;
  for (int step = 0; moved; ++step) {
    CHECK(step < 1'000'000);
    moved = carry_out_commands() || move_client_to_flow() || move_flow_to_upstream() || move_upstream_to_flow() ||
            move_flow_to_client();
  }
}

bool Playbook::move_client_to_flow() {
  if (!client_out_.empty() && flow_->wants_client_bytes()) {
    size_t size = setup_.piece == 0 ? client_out_.size() : std::min(setup_.piece, client_out_.size());
    std::vector<std::byte> bytes(client_out_.bytes().begin(),
                                 client_out_.bytes().begin() + static_cast<ptrdiff_t>(size));
    client_out_.consume(size);
    flow_->on_client_bytes(bytes, now_);
    return true;
  }
  if (client_fin_ && client_out_.empty() && !std::exchange(client_fin_told_, true)) {
    flow_->on_client_eof(now_);
    return true;
  }
  return false;
}

bool Playbook::move_flow_to_client() {
  ByteQueue& queue = flow_->to_client();
  if (queue.empty() || !client_reads_) return false;
  std::vector<std::byte> bytes(queue.bytes().begin(), queue.bytes().end());
  queue.consume(bytes.size());
  client_raw_.append(as_text(bytes));
  if (!raw_client_) read_client(bytes);
  flow_->on_writable(now_);
  return true;
}

bool Playbook::move_upstream_to_flow() {
  if (!origin_out_.empty() && flow_->wants_upstream_bytes(connected_)) {
    size_t size = setup_.piece == 0 ? origin_out_.size() : std::min(setup_.piece, origin_out_.size());
    std::vector<std::byte> bytes(origin_out_.bytes().begin(),
                                 origin_out_.bytes().begin() + static_cast<ptrdiff_t>(size));
    origin_out_.consume(size);
    flow_->on_upstream_bytes(connected_, bytes, now_);
    return true;
  }
  if (origin_fin_ && origin_out_.empty() && !std::exchange(origin_fin_told_, true)) {
    flow_->on_upstream_eof(connected_, now_);
    return true;
  }
  return false;
}

bool Playbook::move_flow_to_upstream() {
  ByteQueue& queue = flow_->to_upstream(connected_);
  if (connected_ == 0 || queue.empty()) return false;
  std::vector<std::byte> bytes(queue.bytes().begin(), queue.bytes().end());
  queue.consume(bytes.size());
  origin_raw_.append(as_text(bytes));
  if (origin_) read_origin(bytes);
  flow_->on_writable(now_);
  return true;
}

bool Playbook::carry_out_commands() {
  std::optional<Command> command = flow_->next_command();
  if (!command) return false;
  commands_.push_back(name_of(*command));
  if (auto* connect = std::get_if<ConnectUpstream>(&*command)) {
    if (refuse_) {
      flow_->on_upstream_failed(connect->id, Error::upstream(ErrorKind::System, *refuse_), now_);
      return true;
    }
    ++connections_;
    connected_ = connect->id;
    origin_out_.clear();
    origin_fin_ = origin_fin_told_ = false;
    origin_.reset();
    if (!setup_.origin_says_raw.empty()) {
      flow_->on_upstream_connected(connect->id, now_);
      origin_out_.append(setup_.origin_says_raw);
      return true;
    }
    if (setup_.origin) {
      origin_.emplace(setup_.origin(&origin_out_));
      flow_->on_upstream_connected(connect->id, now_);
      return true;
    }
    if (origin_silent_) return flow_->on_upstream_connected(connect->id, now_), true;
    std::shared_ptr<const tls::Leaf> leaf =
        world_.leaf(world_.origin_ca, *world_.origin_minter, setup_.origin_name, nullptr, now());
    std::string alpn = setup_.client_alpn.empty() ? "" : setup_.origin_alpn;
    origin_.emplace(must(world_.origin_context.accept(*leaf, alpn, "origin", &origin_out_)));
    flow_->on_upstream_connected(connect->id, now_);
  } else if (auto* call = std::get_if<CallHandler>(&*command)) {
    handler_calls_.push_back(std::move(*call));
  } else if (auto* request = std::get_if<RequestLeaf>(&*command)) {
    flow_->on_leaf(
        world_.leaf(world_.waylay_ca, *world_.waylay_minter, request->name, request->mirror, now(), request->key),
        now_);
  }
  return true;
}

void Playbook::handler_answers(Result<hook::Answer> answer) {
  ASSERT_FALSE(handler_calls_.empty()) << transcript();
  flow_->on_handler_answer(handler_calls_.back().exchange, std::move(answer), now_);
  run();
}

void Playbook::read_client(Bytes bytes) {
  if (client_failed_) return;
  client_->put(bytes);
  for (;;) {
    Bytes plaintext;
    switch (client_->next(scratch_, plaintext)) {
      case tls::Channel::Event::Plaintext:
        client_got_.append(as_text(plaintext));
        break;
      case tls::Channel::Event::CloseNotify:
        client_close_notify_ = true;
        break;
      case tls::Channel::Event::HandshakeDone:
        note_issuer();
        break;
      case tls::Channel::Event::Failed:
        client_failed_ = true;
        return;
      case tls::Channel::Event::NeedMore:
        return;
    }
  }
}

void Playbook::read_origin(Bytes bytes) {
  origin_->put(bytes);
  for (;;) {
    Bytes plaintext;
    switch (origin_->next(scratch_, plaintext)) {
      case tls::Channel::Event::Plaintext:
        origin_got_.append(as_text(plaintext));
        break;
      case tls::Channel::Event::CloseNotify:
      case tls::Channel::Event::HandshakeDone:
        break;
      case tls::Channel::Event::Failed:
      case tls::Channel::Event::NeedMore:
        return;
    }
  }
}

bool Playbook::client_saw(std::string_view command) const {
  return std::find(commands_.begin(), commands_.end(), command) != commands_.end();
}

std::string Playbook::client_error() const {
  return client_failed_ ? client_->error().message : "";
}

std::string Playbook::origin_error() const {
  return origin_ && origin_->state() == tls::Channel::State::Failed ? origin_->error().message : "";
}

void Playbook::note_issuer() {
  X509* certificate = client_->peer_certificate();
  char text[256];
  X509_NAME_get_text_by_NID(X509_get_issuer_name(certificate), NID_commonName, text, sizeof text);
  issuer_seen_by_client_ = text;
}

std::string Playbook::transcript() const {
  std::string out = "--- client got\n" + client_got_ + "\n--- origin got\n" + origin_got_ + "\n--- commands\n";
  for (const std::string& command : commands_) out += command + "\n";
  out += "--- flow: " + std::string(to_string(facts().outcome)) + " " + facts().reason + "\n";
  for (const auto& exchange : exchanges())
    out += "exchange " + std::to_string(exchange->status) + " " + std::string(to_string(exchange->end)) + " " +
           exchange->error + "\n";
  return out;
}

}  // namespace waylay::flow
