#include "proxy/gate.h"

#include <algorithm>

#include "base/log.h"
#include "io/ring.h"
#include "io/socket.h"
#include "proxy/origin.h"

namespace waylay::proxy {
namespace {

constexpr int64_t kLookAgainAfter_ns = 50 * kMillisecond_ns;

std::atomic<uint64_t>* count_of(const Target& target, flow::Outcome outcome) {
  switch (outcome) {
    case flow::Outcome::Intercepted:
      return &target.counts.intercepted;
    case flow::Outcome::PassedThrough:
      return &target.counts.passed_through;
    case flow::Outcome::Failed:
      return &target.counts.failed;
    case flow::Outcome::Open:
    case flow::Outcome::Bypassed:
      break;
  }
  return nullptr;
}

}  // namespace

Gate::Gate(Tools& tools, WardenLink& warden, const kernel::FlowMap& flow_map, std::shared_ptr<const Target> target)
    : tools_(tools),
      flow_map_(flow_map),
      target_(std::move(target)),
      sockets_(tools.ring.timers(), warden, target_->id),
      drain_(io::Timer::calling<&Gate::look_whether_drained>(this, tools.ring.timers())) {}

Gate::~Gate() = default;

void Gate::open(std::vector<Fd> listeners) {
  for (Fd& fd : listeners) {
    Result<Address> address = io::own_address(fd.get());
    if (!address) {
      log::error("event=listener-unusable target=" + log::quoted(target_->info.name) + " " + address.error().message);
      continue;
    }
    sockets_.prepare(address->family);
    auto listener = std::make_unique<io::Listener>(tools_.ring, listener_owner());
    listener->open(std::move(fd));
    listeners_.push_back({std::move(listener), address->port});
  }
}

// ---- connections

void Gate::on_accepted(io::Listener& listener, Fd fd, const Address& peer) {
  target_->counts.accepted++;
  Result<flow::FlowFacts> facts = find_origin(*target_, flow_map_, fd.get(), peer, port_of(listener));
  if (!facts) return refuse(std::move(fd), facts.error());
  target_->counts.open++;
  auto connection = std::make_unique<Connection>(tools_, sockets_, std::move(*facts),
                                                 flow::Settings{.insist = target_->info.insist}, connection_owner());
  Connection& started = *connection;
  connections_.emplace(&started, std::move(connection));
  started.start(std::move(fd));
}

// Counted, and logged in detail only: anybody in the target can do this as often as he likes.
void Gate::refuse(Fd connection, const Error& why) {
  target_->counts.unknown++;
  log::debug("event=refused target=" + log::quoted(target_->info.name) + " reason=" + log::quoted(why.message));
  io::set_reset_on_close(connection.get());
}

void Gate::on_outcome(flow::Outcome before, flow::Outcome now) {
  if (auto* count = count_of(*target_, before)) --*count;
  if (auto* count = count_of(*target_, now)) ++*count;
}

void Gate::on_ended(Connection& connection) {
  target_->counts.open--;
  connections_.erase(&connection);
}

void Gate::detach_connections() {
  for (auto& [key, connection] : connections_) connection->detach();
}

void Gate::abort_connections() {
  for (auto& [key, connection] : connections_) connection->abort();
}

// ---- listeners

void Gate::on_listener_error(io::Listener&, Error error) {
  log::error("event=listener-failed target=" + log::quoted(target_->info.name) + " " + error.message);
}

void Gate::on_closed(io::Listener& listener) {
  std::erase_if(listeners_, [&](const Door& door) { return door.listener.get() == &listener; });
  if (listeners_.empty()) tell_drained();
}

uint16_t Gate::port_of(const io::Listener& listener) const {
  for (const Door& door : listeners_)
    if (door.listener.get() == &listener) return door.port;
  return 0;
}

// ---- draining

void Gate::drain(int64_t grace_ns, Drained drained) {
  int64_t now_ns = tools_.ring.time().steady_ns;
  if (drained_)  // asked a second time, by the end of the daemon: both are told
    drained = [first = std::move(drained_), second = std::move(drained)]() mutable { first(), second(); };
  drained_ = std::move(drained);
  drain_until_ns_ = now_ns + kDrainLimit_ns;
  drain_.start_at(now_ns + grace_ns);
}

void Gate::look_whether_drained() {
  int64_t now_ns = tools_.ring.time().steady_ns;
  if (any_handshake() && now_ns < drain_until_ns_) return drain_.start_at(now_ns + kLookAgainAfter_ns);
  close_listeners();
}

bool Gate::any_handshake() const {
  return std::any_of(connections_.begin(), connections_.end(),
                     [](const auto& each) { return each.second->handshaking(); });
}

void Gate::close_listeners() {
  for (Door& door : listeners_) door.listener->close();
  sockets_.drop(Error::local(ErrorKind::Unavailable, "the target was detached"));
  for (auto& [key, connection] : connections_) connection->no_more_upstreams();
  if (listeners_.empty()) tell_drained();
}

void Gate::tell_drained() {
  if (Drained drained = std::exchange(drained_, nullptr)) drained();
}

}  // namespace waylay::proxy
