#include "io/stream.h"

#include <liburing.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "io/ring.h"
#include "io/socket.h"

namespace waylay::io {
namespace {

// One send(2) cannot say more in its int result; a queue is never that long, but the cut must not be silent.
constexpr size_t kMaxSend = size_t{1} << 30;

}  // namespace

void Stream::open(Fd fd) {
  CHECK(closed() && fd);
  state_ = State::Open;
  receive_ended_ = shutdown_wanted_ = write_shut_ = false;
  send_error_ = 0;
  fd_ = std::move(fd);
  set_no_delay(fd_.get());
  start_receive();
}

// ---- receiving

void Stream::start_receive() {
  if (state_ != State::Open || paused_ || receive_ended_ || receive_.pending()) return;
  receive_.start(fd_.get());
}

void Stream::resume_receive() {
  paused_ = false;
  start_receive();
}

void Stream::received(int result, Bytes bytes) {
  if (state_ != State::Open) return join();
  if (result == -EINTR) return start_receive();
  if (result < 0) return broken(-result, "receiving");
  if (result == 0) return end_received();
  owner_.on_received(*this, bytes);
  start_receive();
}

void Stream::end_received() {
  receive_ended_ = true;
  // After a reset that the send has already reported the kernel shows a plain end here: the peer did not finish, it
  // broke off.
  if (send_error_ != 0) return broken(send_error_, "sending");
  owner_.on_end(*this);
}

// ---- sending

void Stream::send(ByteQueue& from) {
  if (state_ != State::Open || sending() || from.empty()) return;
  if (send_error_ != 0 || shutdown_wanted_) return from.clear();  // nobody will ever get them
  sending_.swap(from);
  start_send();
}

void Stream::start_send() {
  Bytes bytes = sending_.bytes();
  io_uring_prep_send(ring_.start(send_), fd_.get(), bytes.data(), std::min(bytes.size(), kMaxSend), MSG_NOSIGNAL);
}

void Stream::sent(const Completion& completion) {
  if (state_ != State::Open) return join();
  if (completion.result < 0 && completion.result != -EINTR) return send_failed(-completion.result);
  sending_.consume(static_cast<size_t>(std::max(completion.result, 0)));
  if (sending()) start_send();
  shut_write_when_flushed();
  owner_.on_sent(*this);
}

bool Stream::means_peer_is_gone(int code) {
  return code == EPIPE || code == ECONNRESET || code == ETIMEDOUT;
}

void Stream::send_failed(int code) {
  sending_.clear();
  if (!means_peer_is_gone(code) || receive_ended_) return broken(code, "sending");
  // A server may answer and then reset (say, a 413 to a large upload): its answer is delivered before the error.
  send_error_ = code;
  owner_.on_sent(*this);
}

void Stream::shutdown_write() {
  if (state_ != State::Open || shutdown_wanted_) return;
  shutdown_wanted_ = true;
  shut_write_when_flushed();
}

void Stream::shut_write_when_flushed() {
  if (!shutdown_wanted_ || write_shut_ || sending()) return;
  write_shut_ = true;
  // Not through the ring: there it always goes to a kernel worker thread, and the system call never waits.
  // It can fail only because the connection is gone (ENOTCONN), which the receive reports.
  ::shutdown(fd_.get(), SHUT_WR);
}

// ---- the way out

void Stream::broken(int code, std::string_view what) {
  terminate();
  Error error = posix_error(code, what, side_);
  if (code == ETIMEDOUT) error.kind = ErrorKind::Timeout;
  owner_.on_error(*this, std::move(error));
}

void Stream::close() {
  if (state_ == State::Open) terminate();
}

void Stream::reset() {
  if (state_ != State::Open) return;
  set_reset_on_close(fd_.get());
  terminate();
}

void Stream::terminate() {
  state_ = State::Closing;
  receive_.cancel();
  ring_.cancel(send_);
  join();
}

void Stream::join() {
  if (receive_.in_flight() || send_.in_flight()) return;
  ring_.defer(joined_);
}

void Stream::joined() {
  state_ = State::Closed;
  fd_.reset();
  sending_.clear();
  owner_.on_closed(*this);
}

}  // namespace waylay::io
