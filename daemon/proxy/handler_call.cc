#include "proxy/handler_call.h"

#include <sys/socket.h>

#include <cerrno>

#include "io/ring.h"

namespace waylay::proxy {
namespace {

Result<Fd> make_unix_socket() {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail(posix_error(errno, "making a Unix socket"));
  return fd;
}

Error with_context(Error error, const rules::Handler& handler) {
  error.message = "the handler " + handler.url + " cannot be called: " + error.message;
  return error;
}

}  // namespace

HandlerCall::HandlerCall(io::Ring& ring, SocketStock& sockets, uint64_t exchange,
                         std::shared_ptr<const rules::Handler> handler, std::string_view event, Owner& owner)
    : ring_(ring),
      sockets_(sockets),
      exchange_(exchange),
      handler_(std::move(handler)),
      call_(*handler_, event),
      owner_(owner),
      connector_(ring, Side::Local, *this),
      stream_(ring, Side::Local, *this),
      limit_(io::Timer::calling<&HandlerCall::on_limit>(this, ring.timers())) {}

void HandlerCall::start() {
  int64_t now_ns = ring_.time().steady_ns;
  limit_.start_at(now_ns + handler_->timeout_ns);
  if (!handler_->address) return on_socket(make_unix_socket());
  std::optional<Result<Fd>> socket = sockets_.take(handler_->address->family, socket_, now_ns);
  if (socket) on_socket(std::move(*socket));
}

void HandlerCall::on_socket(Result<Fd> socket) {
  if (socket) return connect(std::move(*socket));
  failure_ = std::move(socket.error());
  ring_.defer(gone_);  // an answer within start() would come before its question is settled
}

void HandlerCall::connect(Fd socket) {
  if (handler_->address) return connector_.start(std::move(socket), *handler_->address, handler_->timeout_ns);
  connector_.start(std::move(socket), handler_->socket_path, handler_->timeout_ns);
}

// Whatever is on its way ends with gone().
void HandlerCall::cancel() {
  answered_ = true;
  limit_.stop();
  if (connector_.running()) return connector_.cancel();
  if (stream_.open()) return stream_.reset();
  if (socket_.waiting()) {
    socket_.unlink();
    ring_.defer(gone_);
  }
}

void HandlerCall::on_connected(io::Connector&, Fd connection) {
  if (answered_) return ring_.defer(gone_);
  stream_.open(std::move(connection));
  ByteQueue queue;
  queue.append(call_.request());
  stream_.send(queue);
}

void HandlerCall::on_connect_failed(io::Connector&, Error error) {
  failure_ = std::move(error);
  ring_.defer(gone_);
}

void HandlerCall::on_received(io::Stream&, Bytes bytes) {
  call_.put(bytes);
  answer_if_done();
}

void HandlerCall::on_end(io::Stream&) {
  call_.on_end();
  answer_if_done();
}

void HandlerCall::on_error(io::Stream&, Error error) {
  answer(fail(with_context(std::move(error), *handler_)));
}

void HandlerCall::on_closed(io::Stream&) {
  ring_.defer(gone_);
}

void HandlerCall::on_limit() {
  Error error{ErrorKind::Timeout, Side::Local,
              "the handler " + handler_->url + " did not answer within " +
                  std::to_string(handler_->timeout_ns / kMillisecond_ns) + " ms",
              ETIMEDOUT};
  answer(fail(std::move(error)));
  cancel();
}

void HandlerCall::answer_if_done() {
  if (!call_.done()) return;
  Result<hook::Answer> answered = call_.take_answer();
  if (stream_.open()) stream_.close();
  answer(std::move(answered));
}

void HandlerCall::answer(Result<hook::Answer> answer) {
  limit_.stop();
  if (!std::exchange(answered_, true)) owner_.on_handler_answer(*this, std::move(answer));
}

void HandlerCall::gone() {
  if (failure_) answer(fail(with_context(std::move(*failure_), *handler_)));
  owner_.on_handler_gone(*this);
}

}  // namespace waylay::proxy
