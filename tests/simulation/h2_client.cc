#include "simulation/h2_client.h"

#include <algorithm>
#include <numeric>

#include "simulation/h2_fields.h"

namespace waylay::simulation {

using Tunnel = PlannedExchange::Tunnel;
using Cut = PlannedExchange::Cut;

H2Client::H2Client(Story& story)
    : H2End(story, true),
      parallel_(story.chance.between(1, 40)),
      waiting_(story.plan.size()),
      seen_(story.plan.size()),
      begun_(story.plan.size()) {
  std::iota(waiting_.begin(), waiting_.end(), size_t{0});
  for (size_t i = 0; i < seen_.size(); ++i) {
    seen_[i].name = story.plan[i].name;
    seen_[i].tunnel = story.plan[i].tunnel != Tunnel::None;
  }
}

void H2Client::add_settings(std::string& settings) {
  if (chance_.one_in(2)) settings += setting(NGHTTP2_SETTINGS_ENABLE_PUSH, 0);
}

// --- Asking ---

bool H2Client::act() {
  if (story_.finishing || peer_leaves_) {  // nobody waits for what will not be asked
    for (size_t exchange : waiting_) close(exchange);
    waiting_.clear();
  }
  if (nothing_left()) {
    if (left_ || !chance_.one_in(4)) return false;
    left_ = true;
    say_go_away(0, {});
    return true;
  }
  if (!may_ask()) return false;
  size_t exchange = waiting_.front();
  waiting_.pop_front();
  if (story_.plan[exchange].tunnel == Tunnel::Extended &&
      !peer_settings_.contains(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL)) {
    close(exchange);  // nobody offers it
  } else {
    ask(exchange);
  }
  return true;
}

bool H2Client::may_ask() const {
  if (waiting_.empty() || peer_leaves_ || story_.finishing) return false;
  auto most = peer_settings_.find(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  if (most != peer_settings_.end() && open_streams() >= most->second) return false;
  auto slow = static_cast<size_t>(std::ranges::count_if(
      streams_, [&](const Stream& stream) { return !stream.over() && story_.plan[stream.exchange].is_slow(); }));
  return open_streams() < parallel_ + slow;
}

void H2Client::ask(size_t exchange) {
  const PlannedExchange& planned = story_.plan[exchange];
  Stream& stream = open(next_id_, exchange);
  next_id_ += chance_.one_in(10) ? 4 : 2;
  ++asked_;
  begun_[exchange] = true;
  story_.requests[exchange] = story_.responses[exchange] = {};
  stream.body = planned.request_content();
  stream.trailers = planned.request_trailers;
  if (planned.cut == Cut::ByClient) {
    stream.cut_after = planned.cut_after;
    stream.cut_code = planned.cut_code;
  }
  bool empty = stream.body.empty() && stream.trailers.empty() && !stream.cut_after && planned.tunnel == Tunnel::None;
  say_head(stream, request_fields(planned, chance_), empty && !chance_.one_in(4));
}

// --- The answers ---

void H2Client::on_informational(Stream& stream, const Fields& fields) {
  const PlannedExchange& planned = story_.plan[stream.exchange];
  if (fields[0].second != "103" || !planned.informational) wrong("a " + fields[0].second + " that nobody said");
  stream.informed = true;
}

void H2Client::on_head(Stream& stream) {
  const PlannedExchange& planned = story_.plan[stream.exchange];
  Seen& seen = seen_[stream.exchange];
  refused_in_row_ = 0;
  seen.status = atoi(value_of(stream.head, ":status").c_str());
  seen.complete = false;
  std::string marked = value_of(stream.head, "x-exchange");
  stream.is_planned = !marked.empty();
  if (!stream.is_planned) {
    bool ours = value_of(stream.head, "server") == "waylay" || value_of(stream.head, "x-rule") == "mock";
    if (!ours) wrong("an answer that nobody gave: " + value_of(stream.head, ":status"));
    return;
  }
  if (marked != planned.name) wrong("the answer to " + planned.name + " is that of " + marked);
  bool rewritten = planned.status == 200 && seen.status == 429 && value_of(stream.head, "x-rule") == "status";
  if (seen.status != planned.status && !rewritten) wrong("another status: " + std::to_string(seen.status));
  if (named_like(stream.head, "x-a") != planned.response_fields) wrong("other fields in the answer to " + planned.name);
  if (rewritten && planned.tunnel != Tunnel::None) return;  // then there is none, nor a body
  std::string length = value_of(stream.head, "content-length");
  if (!length.empty() && length != std::to_string(planned.response_size)) wrong("another content-length: " + length);
  stream.expected = planned.response_content();
}

// What looks whole is.
void H2Client::on_end(Stream& stream) {
  const PlannedExchange& planned = story_.plan[stream.exchange];
  Seen& seen = seen_[stream.exchange];
  seen.content = stream.heard;
  seen.complete = true;
  if (stream.is_planned) {
    if (stream.heard != stream.expected.size())
      wrong("the answer to " + planned.name + " looks complete with " + std::to_string(stream.heard) + " of " +
            std::to_string(stream.expected.size()) + " bytes");
    if (planned.informational && !stream.informed) wrong("no informational answer before that to " + planned.name);
    bool no_tunnel = planned.tunnel != Tunnel::None && seen.status != planned.status;  // a rule's answer
    if (planned.cut == Cut::ByOrigin && !no_tunnel)
      wrong("the answer to " + planned.name + " looks complete, and was reset");
    if (stream.peer_trailers != planned.response_trailers) wrong("other trailers behind the answer to " + planned.name);
  }
  close(stream.exchange);
}

void H2Client::on_reset(Stream& stream) {
  const PlannedExchange& planned = story_.plan[stream.exchange];
  bool by_us = !stream.peer_code.has_value();
  if (by_us || stream.peer_ended) return close(stream.exchange);
  uint32_t code = *stream.peer_code;
  bool by_origin = planned.cut == Cut::ByOrigin && code == planned.cut_code;
  if (code == NGHTTP2_REFUSED_STREAM && !by_origin) return refused(stream);
  bool too_late = story_.origin_leaves && story_.arrivals[stream.exchange] == 0;
  if (!by_origin && !too_late && !story_.may_break())
    wrong("the stream of " + planned.name + " was reset: " + std::string(nghttp2_http2_strerror(code)));
  close(stream.exchange);
}

// It was not processed (RFC 9113 section 8.7), and may be asked again.
void H2Client::refused(Stream& stream) {
  size_t exchange = stream.exchange;
  if (story_.arrivals[exchange] > 0 && !story_.may_break())
    wrong(story_.plan[exchange].name + " was refused, but an origin had it");
  if (stream.id >= std::exchange(asked_before_refusal_, next_id_)) ++refused_in_row_;
  if (refused_in_row_ > 2 && !peer_leaves_ && !story_.rules_break() && !story_.untouched)
    wrong("all is refused, and the flow does not go away");
  if (peer_leaves_ || story_.finishing || story_.may_break() || story_.origin_leaves) return close(exchange);
  if (++refusals_ > 200) wrong("streams are refused again and again");
  waiting_.push_front(exchange);
}

// The first of two says nothing but that there will be another.
void H2Client::on_go_away(uint32_t last, Farewell farewell) {
  bool expected = story_.origin_leaves && (farewell == Farewell() || farewell == story_.farewell);
  if (!expected && !story_.may_break())
    wrong("GOAWAY for no reason: " + std::string(nghttp2_http2_strerror(farewell.code)) + " " + farewell.debug);
  farewell_ = std::move(farewell);
  for (Stream& stream : streams_) {
    if (stream.id <= last || stream.over()) continue;
    stream.reset = true;
    refused(stream);
  }
}

void H2Client::close(size_t exchange) {
  story_.over[exchange] = true;
}

// --- The end ---

bool H2Client::nothing_left() const {
  bool more = !waiting_.empty() && !peer_leaves_ && !story_.finishing;
  return !more && open_streams() == 0;
}

bool H2Client::wants_to_end() const {
  return nothing_left() && out_.empty();
}

std::vector<Seen> H2Client::seen() const {
  std::vector<Seen> all;
  for (const Seen& seen : seen_)
    if (seen.status != 0) all.push_back(seen);
  return all;
}

void H2Client::check_rest() const {
  if (left_) return;  // we were first
  if (story_.origin_leaves && !farewell_) wrong("an origin leaves, and the client was not told");
  if (story_.farewell && farewell_ != story_.farewell) wrong("the client was told another reason why an origin leaves");
}

void H2Client::check() const {
  if (story_.may_break()) return;
  for (size_t i = 0; i < begun_.size(); ++i) {
    if (begun_[i] && !story_.over[i]) wrong(story_.plan[i].name + " was not answered");
  }
}

std::string H2Client::describe() const {
  return "HTTP/2, " + std::to_string(asked_) + " streams for " + std::to_string(story_.plan.size()) + " exchanges" +
         describe_streams();
}

// Requests that the flow must not pass on.
std::string H2Client::own_malformed() {
  const Fields wrongs[] = {
      {{"X-Upper", "case"}},     {{"connection", "keep-alive"}},
      {{"content-length", "5"}}, {{"te", "gzip"}},
      {{"x-space ", "1"}},       {{"x-line", "1\r\nx-more: 2"}},
      {{":late", "1"}},          {{"x-large", std::string(150'000, 'x')}},
  };
  Fields fields = {{":method", "GET"}, {":scheme", "https"}, {":authority", "origin.test"}, {":path", "/malformed"}};
  if (chance_.one_in(5)) {
    fields.pop_back();
  } else {
    const Fields& more = wrongs[chance_.below(std::size(wrongs))];
    fields.insert(fields.end(), more.begin(), more.end());
  }
  std::string block = header_block(fields), out;
  uint32_t id = std::exchange(next_id_, next_id_ + 2);
  uint8_t type = NGHTTP2_HEADERS, flags = NGHTTP2_FLAG_END_STREAM;
  for (std::string_view rest = block; !rest.empty(); type = NGHTTP2_CONTINUATION, flags = 0) {
    std::string_view piece = rest.substr(0, 16'384);
    rest.remove_prefix(piece.size());
    out += h2_frame(type, static_cast<uint8_t>(flags | (rest.empty() ? NGHTTP2_FLAG_END_HEADERS : 0)), id, piece);
  }
  return out;
}

}  // namespace waylay::simulation
