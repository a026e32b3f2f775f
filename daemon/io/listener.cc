#include "io/listener.h"

#include <liburing.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/log.h"
#include "io/ring.h"
#include "io/socket.h"

namespace waylay::io {
namespace {

constexpr int64_t kRetryAfter_ns = 100 * kMillisecond_ns;

bool is_shortage(int code) {
  return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

// accept(2): errors of the connection that was waiting, which Linux hands to the next accept. The listener is sound.
bool concerns_one_connection(int code) {
  switch (code) {
    case ECONNABORTED:
    case EINTR:
    case EAGAIN:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EPERM:  // a firewall's rule
      return true;
    default:
      return false;
  }
}

}  // namespace

Listener::Listener(Ring& ring, Owner& owner)
    : ring_(ring), owner_(owner), retry_(Timer::calling<&Listener::start_accept>(this, ring.timers())) {}

void Listener::open(Fd listening) {
  CHECK(state_ == State::New && listening);
  state_ = State::Open;
  fd_ = std::move(listening);
  set_blocking(fd_.get());
  start_accept();
}

// One submission accepts until it fails (multishot): a storm of connections is taken in few turns.
void Listener::start_accept() {
  io_uring_prep_multishot_accept(ring_.start(accept_), fd_.get(), nullptr, nullptr, SOCK_CLOEXEC);
}

void Listener::accepted(const Completion& completion) {
  Fd connection(completion.result >= 0 ? completion.result : -1);
  if (state_ != State::Open) return join();
  if (connection) hand_over(std::move(connection));
  if (completion.result < 0) return accept_failed(-completion.result);
  if (state_ == State::Open && !accept_.in_flight()) start_accept();
}

void Listener::hand_over(Fd connection) {
  if (backing_off_) log::info("event=accept-resumed");
  backing_off_ = false;
  Result<Address> peer = peer_address(connection.get());
  if (!peer) return;  // reset before it was accepted
  owner_.on_accepted(*this, std::move(connection), *peer);
}

void Listener::accept_failed(int code) {
  if (accept_.in_flight()) return;
  if (concerns_one_connection(code)) return start_accept();
  if (is_shortage(code)) return back_off(code);
  terminate();
  owner_.on_listener_error(*this, posix_error(code, "accepting connections"));
}

void Listener::back_off(int code) {
  if (!backing_off_) log::warning("event=accept-paused " + posix_error(code, "cause").message);
  backing_off_ = true;
  retry_.start_at(ring_.time().steady_ns + kRetryAfter_ns);
}

void Listener::close() {
  if (state_ == State::Open) terminate();
}

void Listener::terminate() {
  state_ = State::Closing;
  retry_.stop();
  ring_.cancel(accept_);
  join();
}

void Listener::join() {
  if (!accept_.in_flight()) ring_.defer(joined_);
}

void Listener::joined() {
  state_ = State::Closed;
  fd_.reset();
  owner_.on_closed(*this);
}

}  // namespace waylay::io
