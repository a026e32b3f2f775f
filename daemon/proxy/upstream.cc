#include "proxy/upstream.h"

#include "io/ring.h"
#include "io/tcp_info.h"

namespace waylay::proxy {

Upstream::Upstream(io::Ring& ring, SocketStock& sockets, uint32_t id, const Address& to, Owner& owner)
    : ring_(ring),
      sockets_(sockets),
      id_(id),
      to_(to),
      owner_(owner),
      connector_(ring, Side::Upstream, *this),
      stream_(ring, Side::Upstream, *this),
      flush_limit_(io::Timer::calling<&Upstream::flush_limit_reached>(this, ring.timers())) {}

std::optional<TcpFacts> Upstream::tcp() const {
  return io::tcp_facts(stream_.fd());
}

// ---- until it is open

void Upstream::start() {
  state_ = State::WaitingForSocket;
  std::optional<Result<Fd>> socket = sockets_.take(to_.family, socket_, ring_.time().steady_ns);
  if (!socket) return;
  if (*socket) return connect(std::move(**socket));
  fail_later(std::move(*socket).error());
}

void Upstream::on_socket(Result<Fd> socket) {
  if (socket) return connect(std::move(*socket));
  fail_later(std::move(socket).error());
}

void Upstream::connect(Fd socket) {
  state_ = State::Connecting;
  connector_.start(std::move(socket), to_, kConnectLimit_ns);
}

void Upstream::on_connected(io::Connector&, Fd connection) {
  if (state_ == State::Closing) return ring_.defer(tell_);  // abandoned in the last moment
  state_ = State::Open;
  stream_.open(std::move(connection));
  owner_.on_upstream_connected(*this);
}

void Upstream::on_connect_failed(io::Connector&, Error error) {
  if (state_ == State::Closing) return ring_.defer(tell_);
  fail_later(std::move(error));
}

void Upstream::fail_later(Error error) {
  state_ = State::Closing;
  failure_ = std::move(error);
  ring_.defer(tell_);
}

void Upstream::tell() {
  if (failure_) owner_.on_upstream_failed(*this, std::move(*failure_));
  owner_.on_upstream_gone(*this);
}

// ---- while it is open

void Upstream::on_received(io::Stream&, Bytes bytes) {
  if (!unwanted()) owner_.on_upstream_bytes(*this, bytes);
}

void Upstream::on_end(io::Stream&) {
  if (!unwanted()) owner_.on_upstream_end(*this);
}

void Upstream::on_sent(io::Stream&) {
  if (!stream_.sending()) owner_.on_upstream_sent(*this);
}

void Upstream::on_error(io::Stream&, Error error) {
  if (!unwanted()) owner_.on_upstream_failed(*this, std::move(error));
}

void Upstream::send(ByteQueue& queue) {
  if (state_ != State::Open) return;
  stream_.send(queue);
  if (then_ == Then::Nothing || !queue.empty() || stream_.sending()) return;
  if (then_ == Then::Shutdown) return stream_.shutdown_write();
  state_ = State::Closing;
  stream_.close();
}

void Upstream::want_bytes(bool wanted) {
  if (wanted && stream_.receive_paused()) stream_.resume_receive();
  if (!wanted) stream_.pause_receive();
}

// ---- the way out

void Upstream::shutdown_when_sent() {
  if (then_ == Then::Nothing) then_ = Then::Shutdown;
}

void Upstream::close_when_sent() {
  if (state_ != State::Open) return abandon_before_open();
  if (then_ == Then::Close) return;
  then_ = Then::Close;
  flush_limit_.start_at(ring_.time().steady_ns + kFlushLimit_ns);
}

void Upstream::reset() {
  if (state_ != State::Open) return abandon_before_open();
  state_ = State::Closing;
  stream_.reset();
}

void Upstream::abandon_before_open() {
  if (state_ != State::WaitingForSocket && state_ != State::Connecting) return;
  bool connecting = state_ == State::Connecting;
  state_ = State::Closing;
  socket_.unlink();
  if (connecting) return connector_.cancel();
  ring_.defer(tell_);
}

void Upstream::on_closed(io::Stream&) {
  state_ = State::Closing;
  flush_limit_.stop();
  owner_.on_upstream_gone(*this);
}

}  // namespace waylay::proxy
