#include "control/connection.h"

#include <algorithm>

#include "base/log.h"
#include "control/render.h"

namespace waylay::control {
namespace {

using ReaderEvent = http::H1Reader::Event;

constexpr size_t kChunk = 16 * 1024;

std::string hex(size_t value) {
  std::string out;
  do out.insert(out.begin(), "0123456789abcdef"[value % 16]);
  while ((value /= 16) > 0);
  return out;
}

}  // namespace

Connection::Connection(Context& context, std::string peer, Time now)
    : context_(context),
      peer_(std::move(peer)),
      reader_(http::Kind::Request, Side::Client),
      active_ns_(now.steady_ns) {}

void Connection::on_bytes(Bytes bytes, Time now) {
  active_ns_ = now.steady_ns;
  if (state_ == State::Closing) return;
  input_.append(bytes);
  if (state_ == State::Reading) read(now);
}

void Connection::on_eof(Time now) {
  eof_ = true;
  keep_alive_ = false;
  active_ns_ = now.steady_ns;
  if (state_ == State::Reading) state_ = State::Closing;
}

void Connection::on_sent(size_t size, Time now) {
  active_ns_ = now.steady_ns;
  output_.consume(size);
  on_events(now);
}

void Connection::on_events(Time now) {
  fill();
  if (state_ == State::Reading && !input_.empty()) read(now);
}

// Reads until a request is complete, then answers it. A pipelined one stays in input_ until that answer is made.
void Connection::read(Time now) {
  while (state_ == State::Reading && !input_.empty()) {
    if (!request_began_ns_) request_began_ns_ = now.steady_ns;
    reader_.put(input_.bytes());
    ReaderEvent event = ReaderEvent::NeedMore;
    do {
      event = reader_.next();
      if (event == ReaderEvent::Head) read_head();
      if (event == ReaderEvent::Body) body_ += as_text(reader_.payload());
      if (head_ && announced_size() > kMaximumRequest)
        return refuse(Error::local(ErrorKind::Limit, "the request is larger than 1 MiB"), 413);
    } while (event == ReaderEvent::Head || event == ReaderEvent::Body);
    if (event == ReaderEvent::Failed)
      return refuse(reader_.error(), reader_.error().kind == ErrorKind::Limit ? 431 : 400);
    if (event == ReaderEvent::Tunnel) return refuse(Error::local(ErrorKind::Invalid, "CONNECT is not for here"), 405);
    input_.consume(input_.size() - reader_.unread().size());
    if (event == ReaderEvent::End) answer(now);
  }
}

void Connection::read_head() {
  head_ = std::move(reader_.head());
  body_.clear();
  const http::BodyLength& length = reader_.body_length();
  announced_body_ = length.type == http::BodyLength::Type::Fixed ? length.fixed : 0;
  bool fits = announced_size() <= kMaximumRequest;
  if (fits && head_->has_token("expect", "100-continue")) output_.append("HTTP/1.1 100 Continue\r\n\r\n");
}

// At least this much the request will take.
uint64_t Connection::announced_size() const {
  uint64_t body = std::max<uint64_t>(body_.size(), std::min<uint64_t>(announced_body_, kMaximumRequest + 1));
  return head_->raw().size() + body;
}

void Connection::answer(Time now) {
  request_began_ns_.reset();
  active_ns_ = now.steady_ns;
  head_only_ = head_->method() == "HEAD";
  keep_alive_ = http::is_persistent(*head_) && !eof_;
  chunked_ = head_->minor_version() == 1;
  Result<Request> request = take_apart(*head_);
  head_.reset();
  if (!request) return begin(error_response(request.error()));
  request->body = std::move(body_);
  request->peer = peer_;
  body_ = {};
  Response response;
  const Route* route = find_route(*request, response);
  if (route) {
    response = route->handle(context_, *request);
    if (route->changes) log_change(*route, response);
  }
  begin(std::move(response));
}

void Connection::log_change(const Route& route, const Response& response) const {
  log::info("api " + peer_ + " method=" + std::string(route.method) + " path=" + std::string(route.path) +
            " status=" + std::to_string(response.status));
}

// After this the stream's framing is unknown: answer and close.
void Connection::refuse(const Error& error, int status) {
  keep_alive_ = false;
  head_only_ = false;
  request_began_ns_.reset();
  input_.clear();
  Response response = error_response(error);
  response.status = status;
  begin(std::move(response));
}

void Connection::begin(Response response) {
  response.headers.emplace_back("Content-Type", response.content_type);
  response.headers.emplace_back("Cache-Control", "no-store");
  if (response.source && !chunked_) keep_alive_ = false;
  if (!keep_alive_) response.headers.emplace_back("Connection", "close");
  std::string_view reason = http::default_reason(response.status);
  if (!response.source) {
    output_.append(http::compose_response(response.status, reason, response.headers, response.body, !head_only_));
    return end_answer();
  }
  http::Head head = http::Head::response(response.status, reason);
  for (const auto& [name, value] : response.headers) head.add(name, value);
  if (chunked_) head.add("Transfer-Encoding", "chunked");
  output_.append(head.raw());
  if (head_only_) return end_answer();
  source_ = std::move(response.source);
  state_ = State::Answering;
  fill();
}

void Connection::fill() {
  while (source_ && output_.size() < kMaximumWaiting) {
    std::string piece;
    Source::Step step = Source::Step::More;
    while (step == Source::Step::More && piece.size() < kChunk) step = source_->next(piece);
    append_chunk(piece);
    if (step == Source::Step::Waiting) return;
    if (step == Source::Step::More) continue;
    source_.reset();
    if (chunked_) output_.append("0\r\n\r\n");
    end_answer();
  }
}

void Connection::append_chunk(std::string_view piece) {
  if (piece.empty()) return;  // an empty chunk would end the body
  if (chunked_) output_.append(hex(piece.size()) + "\r\n");
  output_.append(piece);
  if (chunked_) output_.append("\r\n");
}

void Connection::end_answer() {
  state_ = keep_alive_ ? State::Reading : State::Closing;
}

std::optional<int64_t> Connection::deadline_ns() const {
  if (request_began_ns_) return *request_began_ns_ + kRequestLimit_ns;
  if (source_ && output_.empty()) return std::nullopt;
  return active_ns_ + kIdleLimit_ns;
}

void Connection::on_time(Time now) {
  std::optional<int64_t> deadline = deadline_ns();
  if (!deadline || now.steady_ns < *deadline) return;
  source_.reset();
  if (request_began_ns_ && state_ == State::Reading)
    return refuse(Error::local(ErrorKind::Timeout, "the request took longer than 30 s"), 408);
  output_.clear();
  state_ = State::Closing;
}

}  // namespace waylay::control
