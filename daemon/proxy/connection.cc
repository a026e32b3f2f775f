#include "proxy/connection.h"

#include <algorithm>

#include "io/ring.h"
#include "io/tcp_info.h"

namespace waylay::proxy {
namespace {

// Rules may ask which program a client is, so that nothing is read of it before the warden has said so. A warden that
// is too busy for that holds nobody up for longer.
constexpr int64_t kProcessPatience_ns = 1 * kSecond_ns;

std::optional<tls::LeafFault> fault_of(rules::TlsFault::Certificate kind) {
  switch (kind) {
    case rules::TlsFault::Certificate::Right:
      return std::nullopt;
    case rules::TlsFault::Certificate::Expired:
      return tls::LeafFault::Expired;
    case rules::TlsFault::Certificate::WrongHost:
      return tls::LeafFault::WrongHost;
    case rules::TlsFault::Certificate::SelfSigned:
      return tls::LeafFault::SelfSigned;
  }
  return std::nullopt;
}

}  // namespace

Connection::Connection(Tools& tools, SocketStock& sockets, flow::FlowFacts facts, flow::Settings settings, Owner& owner)
    : tools_(tools),
      sockets_(sockets),
      owner_(owner),
      flow_(tools.environment, std::move(facts), settings, tools.ring.time()),
      client_(tools.ring, Side::Client, *this),
      deadline_(io::Timer::calling<&Connection::on_deadline>(this, tools.ring.timers())),
      leaving_limit_(io::Timer::calling<&Connection::on_leaving_limit>(this, tools.ring.timers())) {}

std::optional<TcpFacts> Connection::client_tcp() const {
  return io::tcp_facts(client_.fd());
}

std::optional<TcpFacts> Connection::upstream_tcp(flow::UpstreamId id) const {
  auto found = std::ranges::find_if(upstreams_, [&](const auto& each) { return each->id() == id; });
  return found == upstreams_.end() ? std::nullopt : (*found)->tcp();
}

void Connection::start(Fd client) {
  flow_.set_sockets(*this);
  ask_for_process();
  if (process_.waiting()) client_.pause_receive();
  client_.open(std::move(client));
  settle();
}

Time Connection::now() const {
  return tools_.ring.time();
}

// ---- the client

void Connection::on_received(io::Stream&, Bytes bytes) {
  if (leaving()) return;  // lingering: read so that the close is no reset, and dropped
  flow_.on_client_bytes(bytes, now());
  settle();
}

void Connection::on_end(io::Stream&) {
  if (lingering_) return client_.close();
  if (!flow_.finished()) flow_.on_client_eof(now());
  settle();
}

void Connection::on_sent(io::Stream&) {
  if (!client_.sending()) sent(then_ != Then::Nothing || !flow_.to_client().empty());
}

void Connection::on_error(io::Stream&, Error error) {
  if (!flow_.finished()) flow_.on_client_failed(error, now());
  settle();
}

void Connection::on_closed(io::Stream&) {
  leaving_limit_.stop();
  end_if_nothing_is_left();
}

// ---- its upstreams

void Connection::on_upstream_connected(Upstream& upstream) {
  flow_.on_upstream_connected(upstream.id(), now());
  settle();
}

void Connection::on_upstream_bytes(Upstream& upstream, Bytes bytes) {
  flow_.on_upstream_bytes(upstream.id(), bytes, now());
  settle();
}

void Connection::on_upstream_end(Upstream& upstream) {
  flow_.on_upstream_eof(upstream.id(), now());
  settle();
}

void Connection::on_upstream_sent(Upstream& upstream) {
  sent(upstream.ends_when_sent() || !flow_.to_upstream(upstream.id()).empty());
}

// Mostly nothing waits to be sent, and nobody for room. Else the queues go first: what the flow wishes to receive
// depends on their length.
void Connection::sent(bool more_waits) {
  if (!more_waits && !was_full_) return flow_.on_sent(now());
  was_full_ = false;
  send_all();
  if (!flow_.finished()) flow_.on_writable(now());
  settle();
}

void Connection::on_upstream_failed(Upstream& upstream, Error error) {
  flow_.on_upstream_failed(upstream.id(), std::move(error), now());
  settle();
}

void Connection::on_upstream_gone(Upstream& upstream) {
  std::erase_if(upstreams_, [&](const auto& each) { return each.get() == &upstream; });
  end_if_nothing_is_left();
}

Upstream* Connection::find(flow::UpstreamId id) {
  auto found = std::find_if(upstreams_.begin(), upstreams_.end(), [&](const auto& each) { return each->id() == id; });
  return found == upstreams_.end() ? nullptr : found->get();
}

// ---- rules' handlers

void Connection::on_handler_answer(HandlerCall& call, Result<hook::Answer> answer) {
  if (flow_.finished()) return;
  flow_.on_handler_answer(call.exchange(), std::move(answer), now());
  settle();
}

void Connection::on_handler_gone(HandlerCall& call) {
  std::erase_if(handler_calls_, [&](const auto& each) { return each.get() == &call; });
  end_if_nothing_is_left();
}

// ---- answers and time

void Connection::on_leaf(Result<LeafSource::Leaf> leaf) {
  flow_.on_leaf(std::move(leaf), now());
  settle();
}

void Connection::ask_for_process() {
  const flow::Owner& owner = flow_.facts().owner;
  if (owner.pid == 0) return;
  auto known = tools_.processes.request(flow_.facts().target, owner.pid, owner.cgroup_id, process_, now());
  if (!known) process_until_ns_ = now().steady_ns + kProcessPatience_ns;
  if (known && *known) owner_is(std::move(**known));
}

bool Connection::waits_for_process() const {
  return process_.waiting() && now().steady_ns < process_until_ns_;
}

// None: it was gone before it could be asked, and what the kernel saw is all there is.
void Connection::on_process(Result<warden::ProcessInfo> process) {
  if (process) owner_is(std::move(*process));
  settle();
}

void Connection::owner_is(warden::ProcessInfo process) {
  flow::Owner owner = flow_.facts().owner;
  owner.exe = std::move(process.exe);
  owner.cgroup = std::move(process.cgroup);
  if (!process.comm.empty()) owner.comm = std::move(process.comm);
  if (!process.container_id.empty()) {
    owner.container_id = std::move(process.container_id);
    owner.container_name = std::move(process.container_name);
    owner.container_image = std::move(process.container_image);
  }
  flow_.on_owner(std::move(owner));
}

void Connection::on_deadline() {
  flow_.on_time(now());
  settle();
}

void Connection::on_leaving_limit() {
  if (lingering_) return client_.close();
  client_.reset();
}

void Connection::detach() {
  if (!flow_.finished()) flow_.on_detached(now());
  settle();
}

void Connection::no_more_upstreams() {
  if (!flow_.finished()) flow_.on_no_more_upstreams(now());
  settle();
}

void Connection::abort() {
  aborted_ = true;
  client_.reset();
  for (auto& upstream : upstreams_) upstream->reset();
  for (auto& call : handler_calls_) call->cancel();
  end_if_nothing_is_left();
}

// ---- the flow's commands

void Connection::settle() {
  while (std::optional<flow::Command> command = flow_.next_command())
    std::visit([this](const auto& each) { carry_out(each); }, *command);
  tell_outcome();
  if (flow_.finished()) end_with_the_flow();
  send_all();
  set_receiving();
  set_timer();
  end_if_nothing_is_left();
}

void Connection::carry_out(const flow::ConnectUpstream& command) {
  upstreams_.push_back(std::make_unique<Upstream>(tools_.ring, sockets_, command.id, command.to, upstream_owner()));
  upstreams_.back()->start();
}

void Connection::carry_out(const flow::RequestLeaf& command) {
  tls::LeafRequest request{command.name, command.mirror, command.key};
  std::optional<tls::LeafFault> fault = fault_of(command.kind);
  auto leaf = fault ? tools_.leaves.request_faulty(request, *fault, leaf_, now())
                    : tools_.leaves.request(request, leaf_, now());
  if (leaf) flow_.on_leaf(std::move(*leaf), now());
}

void Connection::carry_out(const flow::ShutdownUpstream& command) {
  if (Upstream* upstream = find(command.id)) upstream->shutdown_when_sent();
}

void Connection::carry_out(const flow::CloseUpstream& command) {
  Upstream* upstream = find(command.id);
  if (!upstream) return;
  if (command.reset) return upstream->reset();
  upstream->close_when_sent();
  note_if_full(flow_.to_upstream(command.id));
  upstream->send(flow_.to_upstream(command.id));  // now: the flow may go on with another upstream and a fresh queue
}

void Connection::carry_out(const flow::ShutdownClient&) {
  if (then_ == Then::Nothing) then_ = Then::Shutdown;
}

void Connection::carry_out(const flow::CloseClient&) {
  if (leaving()) return;
  then_ = Then::Close;
  leaving_limit_.start_at(now().steady_ns + kFlushLimit_ns);
}

void Connection::carry_out(const flow::ResetClient&) {
  client_.reset();
}

void Connection::carry_out(const flow::CallHandler& command) {
  handler_calls_.push_back(std::make_unique<HandlerCall>(tools_.ring, tools_.handler_sockets, command.exchange,
                                                         command.handler, command.event, handler_owner()));
  handler_calls_.back()->start();
}

void Connection::carry_out(const flow::CancelHandler& command) {
  for (auto& call : handler_calls_)
    if (call->exchange() == command.exchange) call->cancel();
}

void Connection::tell_outcome() {
  flow::Outcome now = flow_.facts().outcome;
  if (now != outcome_) owner_.on_outcome(std::exchange(outcome_, now), now);
}

void Connection::end_with_the_flow() {
  leaf_.unlink();
  process_.unlink();
  carry_out(flow::CloseClient{});
  for (auto& upstream : upstreams_) upstream->close_when_sent();
  for (auto& call : handler_calls_) call->cancel();
}

// ---- bytes to both sides

void Connection::send_all() {
  send_to_client();
  for (auto& upstream : upstreams_) {
    ByteQueue& queue = flow_.to_upstream(upstream->id());
    note_if_full(queue);
    upstream->send(queue);
  }
}

void Connection::note_if_full(const ByteQueue& queue) {
  was_full_ = was_full_ || queue.size() >= flow::Flow::kQueueLimit;
}

void Connection::send_to_client() {
  if (!client_.open()) return;
  note_if_full(flow_.to_client());
  client_.send(flow_.to_client());
  if (then_ == Then::Nothing || !flow_.to_client().empty() || client_.sending()) return;
  client_.shutdown_write();
  if (leaving() && !lingering_) start_lingering();
}

void Connection::start_lingering() {
  lingering_ = true;
  if (client_.ended()) return client_.close();
  leaving_limit_.start_at(now().steady_ns + kLinger_ns);
}

void Connection::set_receiving() {
  bool wanted = leaving() || (flow_.wants_client_bytes() && !waits_for_process());
  if (!wanted) client_.pause_receive();
  if (wanted && client_.receive_paused()) client_.resume_receive();
  for (auto& upstream : upstreams_) upstream->want_bytes(flow_.wants_upstream_bytes(upstream->id()));
}

void Connection::set_timer() {
  std::optional<int64_t> deadline_ns = flow_.finished() ? std::nullopt : flow_.deadline_ns();
  if (waits_for_process()) deadline_ns = std::min(deadline_ns.value_or(process_until_ns_), process_until_ns_);
  if (deadline_ns) return deadline_.start_at(*deadline_ns);
  deadline_.stop();
}

void Connection::end_if_nothing_is_left() {
  if (!flow_.finished() && !aborted_) return;
  if (client_.closed() && upstreams_.empty() && handler_calls_.empty()) tools_.ring.defer(ended_);
}

}  // namespace waylay::proxy
