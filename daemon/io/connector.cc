#include "io/connector.h"

#include <liburing.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "io/ring.h"
#include "io/socket.h"

namespace waylay::io {

Connector::Connector(Ring& ring, Side side, Owner& owner)
    : ring_(ring), side_(side), owner_(owner), limit_(Timer::calling<&Connector::on_limit>(this, ring.timers())) {}

void Connector::start(Fd socket, const Address& to, int64_t limit_ns) {
  start(std::move(socket), to.to_string(), to.to_sockaddr(address_), limit_ns);
}

void Connector::start(Fd socket, const std::string& unix_path, int64_t limit_ns) {
  sockaddr_un address{};
  CHECK(unix_path.size() < sizeof address.sun_path);
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, unix_path.data(), unix_path.size());
  memcpy(&address_, &address, sizeof address);
  start(std::move(socket), unix_path, sizeof address, limit_ns);
}

void Connector::start(Fd socket, std::string name, socklen_t length, int64_t limit_ns) {
  CHECK(!running() && socket);
  fd_ = std::move(socket);
  name_ = std::move(name);
  limit_ns_ = limit_ns;
  verdict_ = Verdict::None;
  set_blocking(fd_.get());
  io_uring_prep_connect(ring_.start(connect_), fd_.get(), reinterpret_cast<sockaddr*>(&address_), length);
  limit_.start_at(ring_.time().steady_ns + limit_ns);
}

void Connector::cancel() {
  give_up(Verdict::Cancelled);
}

void Connector::on_limit() {
  give_up(Verdict::TimedOut);
}

void Connector::give_up(Verdict verdict) {
  if (!running() || verdict_ != Verdict::None) return;
  verdict_ = verdict;
  ring_.cancel(connect_);
}

void Connector::completed(const Completion& completion) {
  limit_.stop();
  Fd connection = std::move(fd_);
  if (completion.result == 0 && verdict_ == Verdict::None) return owner_.on_connected(*this, std::move(connection));
  owner_.on_connect_failed(*this, failure(-completion.result));
}

Error Connector::failure(int code) const {
  std::string what = "connecting to " + name_;
  if (verdict_ == Verdict::Cancelled) return {ErrorKind::Unavailable, side_, what + ": cancelled", 0};
  if (verdict_ == Verdict::TimedOut) {
    std::string limit = std::to_string(limit_ns_ / kMillisecond_ns) + " ms";
    return {ErrorKind::Timeout, side_, what + ": no answer within " + limit, ETIMEDOUT};
  }
  Error error = posix_error(code, what, side_);
  if (code == ETIMEDOUT) error.kind = ErrorKind::Timeout;
  return error;
}

}  // namespace waylay::io
