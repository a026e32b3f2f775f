#include "proxy/worker.h"

#include <pthread.h>

#include <cstdlib>

#include "base/log.h"

namespace waylay::proxy {
namespace {

constexpr size_t kScratch = 17 * 1024;  // one decrypted record is 16 KiB + 256 at most (RFC 8446 section 5.2)

// Without its ring a worker can neither serve nor close its connections. The end of the process does both: listeners
// and the redirect go with it.
[[noreturn]] void give_up(unsigned index, const Error& error) {
  log::error("event=worker-failed worker=" + std::to_string(index) + " " + error.message);
  std::abort();
}

}  // namespace

Result<std::unique_ptr<Worker>> Worker::make(unsigned index, Shared& shared, const tls::TicketKeys& keys,
                                             Fd warden_channel, const io::RingOptions& options) {
  Result<tls::ClientContext> client = tls::ClientContext::create(keys, shared.policy->records);
  if (!client) return fail(client);
  Result<tls::UpstreamContext> upstream = tls::UpstreamContext::create(shared.roots, shared.policy);
  if (!upstream) return fail(upstream);
  Result<std::unique_ptr<io::Ring>> ring = io::Ring::make(options);
  if (!ring) return fail(ring);
  Result<std::unique_ptr<io::Mailbox>> mailbox = io::Mailbox::make(**ring);
  if (!mailbox) return fail(mailbox);
  return std::unique_ptr<Worker>(new Worker(index, shared, {std::move(*client), std::move(*upstream)}, std::move(*ring),
                                            std::move(*mailbox), std::move(warden_channel)));
}

Worker::Worker(unsigned index, Shared& shared, Contexts contexts, std::unique_ptr<io::Ring> ring,
               std::unique_ptr<io::Mailbox> mailbox, Fd warden_channel)
    : index_(index),
      shared_(shared),
      contexts_(std::move(contexts)),
      ring_(std::move(ring)),
      mailbox_(std::move(mailbox)),
      warden_channel_(std::move(warden_channel)),
      scratch_(kScratch),
      warden_(*ring_, *this),
      leaves_(*shared.minter, shared.leaves, warden_),
      processes_(warden_),
      handler_sockets_(ring_->timers(), warden_, warden::kOwnNetwork),
      environment_{contexts_.client,  contexts_.upstream,       shared.services.rules,       shared.services.rejections,
                   shared.protocols,  shared.services.recorder, shared.services.identifiers, scratch_,
                   shared.error_page, shared.client_policy},
      tools_{*ring_, environment_, leaves_, processes_, handler_sockets_},
      ticket_timer_(io::Timer::calling<&Worker::renew_ticket_keys>(this, ring_->timers())),
      stop_timer_(io::Timer::calling<&Worker::next_step_of_stop>(this, ring_->timers())) {}

Worker::~Worker() {
  CHECK(!thread_.joinable());
}

// ---- the thread

Result<void> Worker::start() {
  std::promise<Result<void>> started;
  std::future<Result<void>> result = started.get_future();
  thread_ = std::thread([this, promise = std::move(started)]() mutable { run(std::move(promise)); });
  Result<void> enabled = result.get();
  if (!enabled) thread_.join();
  return enabled;
}

void Worker::run(std::promise<Result<void>> started) {
  pthread_setname_np(pthread_self(), ("worker-" + std::to_string(index_)).c_str());
  Result<void> enabled = ring_->enable();
  if (!enabled) return started.set_value(fail(enabled));
  mailbox_->start();
  warden_.open(std::move(warden_channel_));
  ticket_timer_.start_at(now().steady_ns);
  started.set_value({});
  while (!links_closed_ || !mailbox_->closed() || !warden_.closed()) turn();
}

void Worker::turn() {
  if (Result<void> turned = ring_->run_once(); !turned) give_up(index_, turned.error());
  std::erase_if(gates_, [](const auto& each) { return each.second->closed(); });
  close_when_empty();
}

// Also where nobody connects: what is in memory tells of the last hours only.
void Worker::renew_ticket_keys() {
  ticket_timer_.start_at(contexts_.client.renew_ticket_keys(ring_->time()));
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

// ---- targets

void Worker::add(std::shared_ptr<const Target> target, std::vector<Fd> listeners, Done accepting) {
  mailbox_->post(
      [this, target = std::move(target), listeners = std::move(listeners), accepting = std::move(accepting)]() mutable {
        open_gate(std::move(target), std::move(listeners));
        accepting();
      });
}

void Worker::open_gate(std::shared_ptr<const Target> target, std::vector<Fd> listeners) {
  if (stop_ != Stop::No) return;  // the descriptors are closed
  uint32_t id = target->id;
  auto gate = std::make_unique<Gate>(tools_, warden_, shared_.flow_map, std::move(target));
  gate->open(std::move(listeners));
  CHECK(gates_.emplace(id, std::move(gate)).second);
}

void Worker::remove(uint32_t target, bool close_connections, Done drained) {
  mailbox_->post([this, target, close_connections, drained = std::move(drained)]() mutable {
    drain_gate(target, close_connections, std::move(drained));
  });
}

void Worker::drain_gate(uint32_t target, bool close_connections, Done drained) {
  auto found = gates_.find(target);
  if (found == gates_.end()) return drained();
  if (close_connections) found->second->detach_connections();
  found->second->drain(Gate::kGrace_ns, std::move(drained));
}

// ---- the warden's answers

void Worker::on_signature(uint64_t id, Result<std::string> signature) {
  leaves_.put(id, std::move(signature), ring_->time());
}

void Worker::on_sockets(uint32_t target, Family family, Result<std::vector<Fd>> sockets) {
  if (target == warden::kOwnNetwork) return handler_sockets_.put(family, std::move(sockets));
  auto found = gates_.find(target);
  if (found != gates_.end()) found->second->sockets().put(family, std::move(sockets));
}

void Worker::on_process(uint64_t id, std::optional<warden::ProcessInfo> process) {
  processes_.put(id, std::move(process), ring_->time());
}

// What is open goes on; whether the daemon stops is for the main loop to say, which has lost the warden too.
void Worker::on_warden_lost(Error error) {
  log::warning("event=warden-lost worker=" + std::to_string(index_) + " " + error.message);
  leaves_.fail_everyone(error);
  processes_.fail_everyone(error);
  handler_sockets_.drop(error);
  for (auto& [id, gate] : gates_) gate->sockets().drop(error);
}

// ---- the end

void Worker::stop() {
  mailbox_->post([this] { begin_stop(); });
}

void Worker::begin_stop() {
  if (stop_ != Stop::No) return;
  stop_ = Stop::Finishing;
  for (auto& [id, gate] : gates_) gate->drain(0, [] {});
  stop_timer_.start_at(ring_->time().steady_ns + kStopLimit_ns);
}

void Worker::next_step_of_stop() {
  if (stop_ == Stop::Finishing) {
    stop_ = Stop::Closing;
    for (auto& [id, gate] : gates_) gate->detach_connections();
    stop_timer_.start_at(ring_->time().steady_ns + kCloseLimit_ns);
    return;
  }
  stop_ = Stop::Aborting;
  for (auto& [id, gate] : gates_) gate->abort_connections();
}

void Worker::close_when_empty() {
  if (stop_ == Stop::No || links_closed_ || !gates_.empty()) return;
  links_closed_ = true;
  stop_timer_.stop();
  mailbox_->close();
  warden_.close();
}

}  // namespace waylay::proxy
