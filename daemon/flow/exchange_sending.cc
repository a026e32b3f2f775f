// How an exchange's response goes out: at once, or slowly, or not to its end.
#include <algorithm>

#include "flow/exchange.h"

namespace waylay::flow {
namespace {

using How = rules::Abort::How;
using Length = http::BodyLength::Type;

// Announced where a length shall be wrong and the right one is not known: the largest that every client can count.
constexpr uint64_t kUnknownLength = 0x7fffffff;
// Our own answer comes in parts as the network would have brought them.
constexpr size_t kOwnPart = 16 * 1024;

}  // namespace

void Exchange::send_response(Time now) {
  bool is_paced = pace_.down > 0 || !pace_.chunk_delays.empty() || abort_;
  if (!is_paced && own_body_) {
    send_own();
    return finish_if_done(now);
  }
  if (is_paced) response_pace_ = std::make_unique<PacedBody>(pace_.down);
  if (abort_ && abort_->how == How::GoAway) {
    link_.close_after();
    response_->set("Connection", "close");  // which HTTP/2 leaves out
  }
  send_head(response_framing());
  if (response_length_.type == Length::Tunnel && !own_body_) return open_tunnel(now);
  if (is_paced) return pace_held(now);
  if (!response_held_.empty()) send_content(response_held_.all(), now);
  response_held_.clear_content();
  if (response_done_) end_response(response_held_.ending(), now);
}

// What came behind the head while that was held back (HTTP/2) is the tunnel's first.
void Exchange::open_tunnel(Time now) {
  if (!response_held_.empty()) link_.send_response_body(response_held_.all());
  if (response_done_) link_.send_response_end(response_held_.ending());
  finish(ExchangeEnd::Upgraded, {}, Ending::Tunnel, now);
  if (!response_held_.empty()) tunnel_->on_upstream_bytes(response_held_.all().content, now);
}

void Exchange::send_head(Framing framing) {
  response_sent_ = true;
  facts_->status = response_->status();
  link_.send_response_head(*response_, framing);
}

void Exchange::send_own() {
  send_head(response_framing());
  if (response_has_body() && !own_body_->empty()) {
    facts_->response_body = own_body_->size();
    link_.send_response_body({as_bytes(*own_body_), as_bytes(*own_body_)});
  }
  link_.send_response_end(response_held_.ending());
  response_out_ = true;
}

bool Exchange::response_has_body() const {
  bool is_head = request_ && request_->method() == "HEAD";
  return !is_head && !http::forbids_body(response_->status());
}

Framing Exchange::response_framing() const {
  using Type = Framing::Type;
  if (own_body_ && http::forbids_body(response_->status())) return {Type::None};
  if (abort_ && response_has_body()) {
    if (abort_->how == How::BadChunk) return {Type::Unknown};
    uint64_t right = own_body_ ? own_body_->size() : response_length_.fixed;
    bool is_known = own_body_ || response_length_.type == Length::Fixed;
    if (abort_->how == How::WrongLength)
      return {Type::Length, is_known ? std::max(right, abort_->after_bytes.value_or(right) + 1) : kUnknownLength};
  }
  if (own_body_) return own_framing(own_body_->size(), response_held_.trailers());
  // Slices are not the chunks that came.
  return {response_pace_ && response_length_.type == Length::Chunked ? Type::Unknown : Type::AsItCame};
}

void Exchange::send_content(const BodyPart& part, Time now) {
  if (!response_pace_) {
    facts_->response_body += part.content.size();
    return link_.send_response_body(part);
  }
  response_pace_->append(part.content, part.content.empty() ? 0 : pace_.next_chunk_delay_ns(), now);
  flow_response(now);
}

// What is there when the head goes out.
void Exchange::pace_held(Time now) {
  Bytes rest = response_has_body() ? response_body() : Bytes{};
  while (!rest.empty()) {
    Bytes part = rest.first(std::min(rest.size(), kOwnPart));
    response_pace_->append(part, pace_.next_chunk_delay_ns(), now);
    rest = rest.subspan(part.size());
  }
  response_held_.clear_content();
  flow_response(now);
}

void Exchange::flow_response(Time now) {
  while (!ending_ && !is_stalled()) {
    if (cut_is_due()) return break_off(*abort_, now);
    if (link_.client_is_behind()) return;
    Bytes slice = response_pace_->next(now);
    if (slice.empty()) break;
    if (abort_ && abort_->after_bytes)
      slice = slice.first(
          static_cast<size_t>(std::min<uint64_t>(slice.size(), *abort_->after_bytes - facts_->response_body)));
    facts_->response_body += slice.size();
    link_.send_response_body({slice, slice});
    response_pace_->sent(slice.size(), now);
  }
  if (ending_ || is_stalled() || response_out_ || !response_pace_->empty()) return;
  if (truncation_) return finish(ExchangeEnd::Truncated, std::move(truncation_->why), truncation_->mirrored, now);
  if (own_body_ || response_done_) end_response(response_held_.ending(), now);
}

bool Exchange::cut_is_due() const {
  if (!abort_ || !abort_->after_bytes || abort_->how == How::GoAway) return false;
  return facts_->response_body >= *abort_->after_bytes;
}

// All of the body is out.
void Exchange::end_response(const BodyEnd& end, Time now) {
  bool is_wrong = abort_ && (abort_->how == How::BadChunk || abort_->how == How::WrongLength);
  if (is_wrong) return break_off(*abort_, now);
  if (abort_ && abort_->how != How::GoAway) note("the body ended before " + abort_->text());
  link_.send_response_end(end);
  response_out_ = true;
  finish_if_done(now);
}

}  // namespace waylay::flow
