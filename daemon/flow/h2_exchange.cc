#include "flow/h2_exchange.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"

namespace waylay::flow {
namespace {

using Length = http::BodyLength::Type;

// What may wait for a stream's window before what makes bodies is asked to stop.
constexpr size_t kStreamQueue = 64 * 1024;

// For the rest of a request whose answer is complete: what is on its way then still gets what it deserves (its end, or
// the error that is in it) instead of the reset that tells the client to stop (RFC 9113 section 8.1).
constexpr int64_t kLinger_ns = 100 * kMillisecond_ns;

// nghttp2 has refused what is no number, and more than one.
std::optional<uint64_t> content_length(const http::Head& head) {
  std::optional<std::string_view> text = head.first("content-length");
  uint64_t value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc()) return std::nullopt;
  return value;
}

http::BodyLength length_of(const http::Head& head, bool ends) {
  if (ends) return {Length::None, 0};
  if (std::optional<uint64_t> length = content_length(head)) return {Length::Fixed, *length};
  return {Length::Chunked, 0};
}

void say_length(http::Head& head, Framing framing) {
  if (framing.type == Framing::Type::AsItCame) return;
  if (framing.type == Framing::Type::Length) return head.set("content-length", std::to_string(framing.length));
  head.remove("content-length");
}

bool has_no_body(Framing framing, bool ends_as_it_came) {
  switch (framing.type) {
    case Framing::Type::AsItCame:
      return ends_as_it_came;
    case Framing::Type::None:
      return true;
    case Framing::Type::Length:
      return framing.length == 0;
    case Framing::Type::Unknown:
      return false;
  }
  return false;
}

// An answer that was made in HTTP/1's form.
http::Head as_http2(const http::Head& head) {
  http::Head made = http::Head::http2_response(head.status());
  for (size_t i = 0; i < head.field_count(); ++i) made.add(to_lower(head.field(i).name), head.field(i).value);
  return made;
}

}  // namespace

H2Exchange::H2Exchange(H2Sides& sides, http::H2Stream& client) : sides_(sides), client_(&client) {}

// --- The client's side ---

void H2Exchange::begin(Exchange::Context context, http::H2Head request, bool ends, Time now) {
  http::Head head = std::move(request.head);
  request_extras_ = std::move(request);
  is_head_ = head.method() == "HEAD";
  is_connect_ = head.method() == "CONNECT";
  request_ends_ = ends;
  http::BodyLength length = is_connect_ ? http::BodyLength{Length::Tunnel, 0} : length_of(head, ends);
  Exchange::Link& link = *this;
  exchange_.emplace(link, std::move(context), now);
  exchange_->on_request_head(std::move(head), length, now);
  if (is_connect_) exchange_->on_request_end({}, now);  // what follows is the tunnel's
}

void H2Exchange::on_request_body(Bytes payload, Time now) {
  if (!is_connect_) return exchange_->on_request_body({payload, payload}, now);
  if (upstream_ != nullptr) sides_.upstream->write(*upstream_, payload);
  if (tunnel_) return tunnel_->on_client_bytes(payload, now);
  // Nobody need wait for the answer. What has gone is kept for the tunnel to be read from its beginning.
  early_is_all_ = early_is_all_ && (upstream_ == nullptr || early_.size() < kStreamQueue);
  if (early_is_all_) early_.append(payload);
}

void H2Exchange::on_request_end(const http::Trailers* trailers, Time now) {
  if (!is_connect_) return exchange_->on_request_end({{}, trailers}, now);
  early_end_ = true;
  if (upstream_ != nullptr) sides_.upstream->end(*upstream_, trailers);
}

void H2Exchange::on_client_closed(http::H2Code code, bool by_peer, Time now) {
  client_ = nullptr;
  upstream_code_ = code == http::H2Code::NoError ? http::H2Code::Cancel : code;
  if (tunnel_) return;
  std::string name(http::to_string(code));
  if (by_peer) return exchange_->on_client_gone("the client reset the stream: " + name, now);
  exchange_->on_request_failed("a malformed request: " + name, now);
}

void H2Exchange::abandon(const std::string& why, Time now) {
  if (lingers_until_ns_) lingers_until_ns_ = now.steady_ns;
  if (exchange_) exchange_->on_client_gone(why, now);
  if (!tunnel_) return;
  if (client_ != nullptr) sides_.client->release(*client_);
  client_ = nullptr;
}

// --- The upstream's side ---

void H2Exchange::on_response_head(http::H2Head response, bool ends, Time now) {
  response_never_indexed_ = std::move(response.never_indexed);
  answering_ = true;
  response_ends_ = ends;
  bool opens_tunnel = is_connect_ && response.head.status() / 100 == 2;
  http::BodyLength length = opens_tunnel ? http::BodyLength{Length::Tunnel, 0} : length_of(response.head, ends);
  exchange_->on_response_head(std::move(response.head), length, now);
}

void H2Exchange::on_response_body(Bytes payload, Time now) {
  if (!tunnel_) return exchange_->on_response_body({payload, payload}, now);
  if (client_ != nullptr) sides_.client->write(*client_, payload);
  tunnel_->on_upstream_bytes(payload, now);
}

void H2Exchange::on_response_end(const http::Trailers* trailers, Time now) {
  if (!tunnel_) return exchange_->on_response_end({{}, trailers}, now);
  if (client_ != nullptr) sides_.client->end(*client_, trailers);
}

// A reset without an error, behind a response that is complete, only means that the rest of the request is not wanted
// (RFC 9113 section 8.1).
void H2Exchange::on_upstream_closed(http::H2Code code, bool by_peer, Time now) {
  bool complete = upstream_ != nullptr && upstream_->is_complete();
  upstream_ = nullptr;
  if (tunnel_) {
    client_code_ = code;
    return;
  }
  if (complete) return;
  std::string name(http::to_string(code));
  if (!by_peer) return exchange_->on_response_refused("a malformed response: " + name, now);
  client_code_ = code;
  Error error = Error::upstream(ErrorKind::Truncated, "the upstream reset the stream: " + name);
  upstream_gone_ = UpstreamGone{code == http::H2Code::NoError ? Ending::Close : Ending::Reset, std::move(error)};
}

void H2Exchange::on_upstream_lost(Ending mirrored, const Error& error, Time now) {
  bool open = upstream_ != nullptr;
  upstream_ = nullptr;
  if (tunnel_) {
    client_code_ = http::H2Code::ConnectError;
  } else if (exchange_->waits_for_upstream()) {
    exchange_->on_upstream_failed(error.message, now);
  } else if (open) {
    upstream_gone_ = UpstreamGone{mirrored, error};
  }
}

void H2Exchange::on_upstream_refused(const std::string& why, Time now) {
  bool open = upstream_ != nullptr;
  upstream_ = nullptr;
  if (tunnel_) {
    client_code_ = http::H2Code::ConnectError;
  } else if (open) {
    exchange_->on_response_refused(why, now);
  }
}

// --- Behind an event ---

void H2Exchange::settle(Time now) {
  if (exchange_ && unreachable_) exchange_->on_upstream_failed(*std::exchange(unreachable_, std::nullopt), now);
  if (exchange_ && upstream_gone_ && !exchange_->response_waits()) {
    UpstreamGone gone = *std::exchange(upstream_gone_, std::nullopt);
    exchange_->on_upstream_gone(gone.mirrored, answering_, std::move(gone.error), now);
  }
  if (tunnel_ && (client_ == nullptr || upstream_ == nullptr)) tunnel_->end(now);
  if (exchange_ && exchange_->ending() == Ending::Tunnel) enter_tunnel(now);
  give_back();
}

void H2Exchange::enter_tunnel(Time now) {
  tunnel_ = exchange_->take_tunnel();
  exchange_.reset();
  if (!early_is_all_) tunnel_->on_bytes_missed("the client sent much before the answer");
  tunnel_->on_client_bytes(early_.bytes(), now);
  early_.clear();
}

void H2Exchange::on_time(Time now) {
  if (exchange_) exchange_->on_time(now);
  if (tunnel_) tunnel_->on_time(now);
}

std::optional<int64_t> H2Exchange::deadline_ns() const {
  if (lingers_until_ns_) return lingers_until_ns_;
  return exchange_ ? exchange_->deadline_ns() : tunnel_ ? tunnel_->deadline_ns() : std::nullopt;
}

// What is held back keeps its window closed, unless the exchange wants to see more before it decides.
void H2Exchange::give_back() {
  size_t request_kept = upstream_ != nullptr ? upstream_->waiting() : early_.size();
  size_t response_kept = client_ != nullptr ? client_->waiting() : 0;
  if (exchange_ && !exchange_->wants_request()) request_kept += exchange_->request_held();
  if (exchange_ && !exchange_->wants_response()) response_kept += exchange_->response_held();
  if (client_ != nullptr && !request_is_nobodys() && client_->held() > request_kept)
    sides_.client->consume(*client_, client_->held() - request_kept);
  if (upstream_ != nullptr && upstream_->held() > response_kept)
    sides_.upstream->consume(*upstream_, upstream_->held() - response_kept);
}

// The upstream's stream is gone, or the exchange is over: what still comes is dropped, and not asked for.
bool H2Exchange::request_is_nobodys() const {
  return exchange_ && (exchange_->ending() || (was_sent_ && upstream_ == nullptr));
}

bool H2Exchange::finish(Time now) {
  if (tunnel_) {
    if (client_ == nullptr) reset_other(upstream_, sides_.upstream.get(), upstream_code_);
    if (upstream_ == nullptr) reset_other(client_, sides_.client.get(), client_code_);
    return is_over();
  }
  if (!exchange_->ending()) return false;
  drop_upstream();
  if (lingers(now)) return false;
  drop_client(*exchange_->ending());
  return true;
}

bool H2Exchange::lingers(Time now) {
  bool in_order = *exchange_->ending() == Ending::GoOn || *exchange_->ending() == Ending::Close;
  if (client_ == nullptr || client_->peer_has_ended() || !in_order) return false;
  if (!lingers_until_ns_) lingers_until_ns_ = now.steady_ns + kLinger_ns;
  return now.steady_ns < *lingers_until_ns_;
}

// One side of a tunnel is closed: the other, if it has not ended as well, is reset.
void H2Exchange::reset_other(http::H2Stream*& stream, http::H2Session* session, http::H2Code code) {
  if (stream == nullptr) return;
  if (stream->has_ended()) {
    session->release(*stream);
  } else {
    session->reset_after_body(*stream, code);
  }
  stream = nullptr;
}

void H2Exchange::drop_client(Ending ending) {
  if (client_ == nullptr) return;
  bool complete = ending == Ending::GoOn || ending == Ending::Close || ending == Ending::GoAway;
  if (!complete) {
    sides_.client->reset_after_body(*client_, client_code_);
  } else if (!client_->peer_has_ended()) {
    sides_.client->reset_after_body(*client_, http::H2Code::NoError);  // RFC 9113 section 8.1
  } else {
    sides_.client->release(*client_);
  }
  client_ = nullptr;
}

void H2Exchange::drop_upstream() {
  if (upstream_ == nullptr) return;
  if (upstream_->is_complete()) {
    sides_.upstream->release(*upstream_);
  } else {
    sides_.upstream->reset(*upstream_, upstream_code_);
  }
  upstream_ = nullptr;
}

// --- Exchange::Link ---

bool H2Exchange::need_upstream(const rules::Redirect* elsewhere) {
  std::string where = elsewhere ? elsewhere->text() + (elsewhere->rewrite_sni ? " by name" : "") : "";
  bool other = (sides_.upstream || sides_.upstream_asked) && where != sides_.upstream_is;
  if (other && !sides_.leave_upstream()) {
    unreachable_ = "other streams of this connection are with another upstream";
    return false;
  }
  unreachable_ = reason_not_to_connect(where);
  if (unreachable_) client_code_ = http::H2Code::RefusedStream;  // safe to try again, on a new connection
  if (unreachable_ || sides_.upstream) return !unreachable_;
  if (std::exchange(sides_.upstream_asked, true)) return false;
  sides_.upstream_is = std::move(where);
  sides_.link.need_upstream(elsewhere);
  return false;
}

std::optional<std::string> H2Exchange::reason_not_to_connect(const std::string& where) const {
  if (sides_.upstream_leaves) return "the upstream takes no more requests on this connection (GOAWAY)";
  bool may = sides_.upstream || sides_.upstream_asked || sides_.may_connect;
  if (may || !where.empty() || !sides_.upstream_is.empty()) return std::nullopt;
  return "the upstream closed the connection before the request was sent";
}

bool H2Sides::leave_upstream() {
  if (!upstream || upstream->streams() > 0) return false;
  left = std::move(upstream);
  upstream_ready = upstream_asked = upstream_leaves = false;
  link.close_upstream(false);
  return true;
}

void H2Exchange::send_request_head(http::Head& head, Framing framing) {
  say_length(head, framing);
  upstream_ = &sides_.upstream->request(head, request_extras_, !is_connect_ && has_no_body(framing, request_ends_));
  upstream_->context = this;
  was_sent_ = true;
  if (!early_.empty()) sides_.upstream->write(*upstream_, early_.bytes());
  if (is_connect_ && early_end_) sides_.upstream->end(*upstream_);
}
void H2Exchange::send_request_body(const BodyPart& part) {
  if (upstream_ != nullptr) sides_.upstream->write(*upstream_, part.content);
}
void H2Exchange::send_request_end(const BodyEnd& end) {
  if (upstream_ != nullptr && !is_connect_) sides_.upstream->end(*upstream_, end.trailers);
}
void H2Exchange::reset_upstream() {
  if (upstream_ == nullptr) return;
  sides_.upstream->reset(*upstream_, upstream_code_);
  upstream_ = nullptr;
}
bool H2Exchange::upstream_is_behind() const {
  return upstream_ != nullptr && upstream_->waiting() >= kStreamQueue;
}

void H2Exchange::call_handler(uint64_t exchange, std::shared_ptr<const rules::Handler> handler, std::string event) {
  sides_.link.call_handler(exchange, std::move(handler), std::move(event));
}
void H2Exchange::cancel_handler(uint64_t exchange) {
  sides_.link.cancel_handler(exchange);
}

void H2Exchange::send_informational(const http::Head& head) {
  if (client_ != nullptr) sides_.client->inform(*client_, head);
}
void H2Exchange::send_response_head(http::Head& head, Framing framing) {
  if (head.version() != "HTTP/2") head = as_http2(head);
  say_length(head, framing);
  if (client_ == nullptr) return;
  // Of an answer of ours nothing follows; the upstream's end behind its head, which may not come.
  bool ends = has_no_body(framing, response_ends_) || (is_head_ && framing.type == Framing::Type::Length);
  sides_.client->respond(*client_, head, response_never_indexed_, ends);
}
void H2Exchange::send_response_body(const BodyPart& part) {
  if (client_ != nullptr) sides_.client->write(*client_, part.content);
}
void H2Exchange::send_response_end(const BodyEnd& end) {
  if (client_ != nullptr) sides_.client->end(*client_, end.trailers);
}
bool H2Exchange::client_is_behind() const {
  return client_ != nullptr && client_->waiting() >= kStreamQueue;
}

}  // namespace waylay::flow
