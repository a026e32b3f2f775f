#include "simulation/h2_origin.h"

#include <algorithm>

#include "simulation/h2_fields.h"

namespace waylay::simulation {

using Tunnel = PlannedExchange::Tunnel;
using Cut = PlannedExchange::Cut;

H2Origin::H2Origin(Story& story)
    : H2End(story, false),
      most_streams_(static_cast<uint32_t>(story.chance.between(1, 120))),
      offers_connect_(story.chance.one_in(2)),
      leaves_after_(story.chance.one_in(5) ? story.chance.between(1, 15) : 0) {}

void H2Origin::add_settings(std::string& settings) {
  if (std::exchange(settings_said_, true)) return;
  if (chance_.one_in(2)) {
    settings += setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, most_streams_);
    story_.most_streams = std::min<size_t>(story_.most_streams, most_streams_);
  }
  if (offers_connect_) settings += setting(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1);
}

// --- Requests ---

H2End::Stream* H2Origin::begun_by_peer(uint32_t id) {
  if (id % 2 == 0 || id <= highest_) wrong("a stream with the number " + std::to_string(id));
  highest_ = id;
  Stream& stream = open(id, story_.plan.size());
  return &stream;
}

void H2Origin::on_head(Stream& stream) {
  size_t index = story_.index_of(value_of(stream.head, "x-exchange"));
  if (index == story_.plan.size())
    wrong("a request that is not this conversation's: " + value_of(stream.head, ":path"));
  const PlannedExchange& planned = story_.plan[index];
  stream.exchange = index;
  if (left_) {  // it came too late (RFC 9113 section 6.8)
    stream.reset = true;
    return;
  }
  ++requests_;
  if (++story_.arrivals[index] > 1) wrong(planned.name + " came twice");
  if (value_of(stream.head, ":method") != planned.method ||
      (planned.tunnel != Tunnel::Connect && value_of(stream.head, ":path") != planned.name))
    wrong("another request than " + planned.name);
  if (named_like(stream.head, "x-a") != planned.request_fields) wrong("other fields in the request " + planned.name);
  std::string cookie;
  for (const auto& [_, crumb] : named_like(stream.head, "cookie")) cookie += (cookie.empty() ? "" : "; ") + crumb;
  if (cookie != "name=" + planned.name + "; second=2") wrong("another cookie: " + cookie);
  if (planned.tunnel == Tunnel::Extended && value_of(stream.head, ":protocol") != "websocket") wrong("no :protocol");
  auto push = peer_settings_.find(NGHTTP2_SETTINGS_ENABLE_PUSH);
  if (!story_.untouched && (push == peer_settings_.end() || push->second != 0))
    wrong("the flow does not refuse pushes");
  stream.expected = planned.request_content();
}

void H2Origin::on_end(Stream& stream) {
  const PlannedExchange& planned = story_.plan[stream.exchange];
  if (stream.reset) return;
  if (stream.heard != stream.expected.size())
    wrong("the request " + planned.name + " looks complete with " + std::to_string(stream.heard) + " of " +
          std::to_string(stream.expected.size()) + " bytes");
  if (planned.cut == Cut::ByClient) wrong("the request " + planned.name + " looks complete, and was reset");
  if (stream.peer_trailers != planned.request_trailers) wrong("other trailers behind the request " + planned.name);
  stream.may_end = true;
}

// A client's reset has its code, and whoever lost its client is cancelled.
void H2Origin::on_reset(Stream& stream) {
  if (!stream.peer_code || story_.may_break()) return;
  const PlannedExchange& planned = story_.plan[stream.exchange];
  bool expected = *stream.peer_code == NGHTTP2_CANCEL || *stream.peer_code == NGHTTP2_NO_ERROR ||
                  (planned.cut == Cut::ByClient && *stream.peer_code == planned.cut_code);
  if (!expected) wrong(planned.name + " was reset with " + std::string(nghttp2_http2_strerror(*stream.peer_code)));
}

void H2Origin::on_go_away(uint32_t, Farewell farewell) {
  if (farewell.code != 0 && !story_.may_break()) wrong("GOAWAY: " + std::string(nghttp2_http2_strerror(farewell.code)));
}

// --- Answers ---

bool H2Origin::act() {
  if (leave() || stop_a_request()) return true;
  std::vector<Stream*> able;
  for (Stream& stream : streams_)
    if (may_answer(stream)) able.push_back(&stream);
  if (able.empty()) return false;
  answer(*able[chance_.below(able.size())]);
  return true;
}

bool H2Origin::may_answer(const Stream& stream) const {
  if (!stream.head_heard || stream.head_said || stream.reset) return false;
  const PlannedExchange& planned = story_.plan[stream.exchange];
  return stream.peer_ended || planned.answers_early || planned.tunnel != Tunnel::None || planned.cut == Cut::ByOrigin;
}

void H2Origin::answer(Stream& stream) {
  const PlannedExchange& planned = story_.plan[stream.exchange];
  if (planned.informational) {
    Fields early = {{":status", "103"}, {"link", "</style.css>"}};
    std::string block = header_block(early);
    out_ += h2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream.id, block);
  }
  stream.body = planned.response_content();
  stream.trailers = planned.response_trailers;
  bool is_tunnel = planned.tunnel != Tunnel::None;
  if (is_tunnel) stream.may_end = planned.answers_early || stream.peer_ended;
  if (planned.cut == Cut::ByOrigin) {
    stream.cut_after = planned.cut_after;
    stream.cut_code = planned.cut_code;
  }
  bool no_body = planned.method == "HEAD" || planned.status == 204 || planned.status == 304;
  bool empty = stream.body.empty() && stream.trailers.empty() && !stream.cut_after && !is_tunnel;
  say_head(stream, response_fields(planned), empty && (no_body || !chance_.one_in(4)));
}

// The rest of it is not wanted: a reset without an error, behind the whole answer (RFC 9113 section 8.1).
bool H2Origin::stop_a_request() {
  for (Stream& stream : streams_) {
    bool answered = stream.ended && !stream.peer_ended && !stream.reset;
    if (!answered || story_.plan[stream.exchange].tunnel != Tunnel::None || !chance_.one_in(8)) continue;
    say_reset(stream, NGHTTP2_NO_ERROR);
    return true;
  }
  return false;
}

// In one step or in two, for a reason or without one.
bool H2Origin::leave() {
  if (leaves_after_ == 0 || left_ || requests_ < leaves_after_) return false;
  story_.origin_leaves = true;
  if (!warned_ && chance_.one_in(2)) {
    warned_ = true;
    say_go_away(0x7fffffff, {});
    return true;
  }
  left_ = true;
  story_.farewell.emplace();
  if (chance_.one_in(2)) story_.farewell = {NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings"};
  say_go_away(highest_, *story_.farewell);
  return true;
}

bool H2Origin::wants_to_end() const {
  return heard_end_ || (left_ && open_streams() == 0 && out_.empty());
}

std::string H2Origin::describe() const {
  return "HTTP/2, " + std::to_string(requests_) + " requests" + (left_ ? ", left" : "") + describe_streams();
}

// Answers that the flow must not pass on.
std::string H2Origin::own_malformed() {
  const Fields wrongs[] = {
      {{":status", "200"}, {"Upper", "case"}},       {{"x-no", "status"}}, {{":status", "200"}, {"connection", "x"}},
      {{":status", "200"}, {"content-length", "5"}}, {{":status", "abc"}}, {{":status", "101"}},
      {{":status", "200"}, {":path", "/"}},
  };
  for (Stream& stream : streams_) {
    if (!stream.head_heard || stream.head_said || stream.reset) continue;
    stream.reset = true;  // nothing more is said of it
    std::string block = header_block(wrongs[chance_.below(std::size(wrongs))]);
    return h2_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, stream.id, block);
  }
  return "";
}

}  // namespace waylay::simulation
