#include "flow/tunnel.h"

#include <algorithm>

#include "base/bytes.h"
#include "http/websocket_extensions.h"

namespace waylay::flow {
namespace {

constexpr uint16_t kNoCode = 1005;  // RFC 6455 section 7.4.1: stands for a close frame without one
constexpr std::string_view kWebSocket = "websocket";

// What a message costs beside its content.
constexpr size_t kMessageCost = sizeof(MessageFacts);

void add_to(uint64_t& count, Spoken& spoken, const http::WebSocketMessage& message) {
  ++count;
  ++spoken.messages;
  spoken.payload += message.sent;
}

}  // namespace

std::shared_ptr<const Conversation> Tunnel::conversation_of(const ExchangeFacts& facts, std::string_view protocol) {
  auto conversation = std::make_shared<Conversation>();
  conversation->open = true;
  if (protocol.empty()) protocol = facts.status == 101 ? facts.response->first("upgrade").value_or("") : "tunnel";
  conversation->protocol = to_lower(protocol);
  if (conversation->protocol == kWebSocket)
    conversation->extensions = facts.response->first("sec-websocket-extensions").value_or("");
  return conversation;
}

Tunnel::Tunnel(std::shared_ptr<const ExchangeFacts> facts, Recorder& recorder, size_t keep)
    : facts_(std::move(facts)), recorder_(recorder), room_(keep), conversation_(*facts_->conversation) {
  if (conversation_.protocol == kWebSocket) start_readers();
}

void Tunnel::start_readers() {
  Result<http::WebSocketExtensions> agreed = http::websocket_extensions(*facts_->response);
  if (!agreed) {
    conversation_.from_client.unread = conversation_.from_upstream.unread = agreed.error().message;
    return;
  }
  conversation_.keeps_messages = room_ > 0;
  size_t content = std::min(room_, kMostMessageContent);
  client_reader_.emplace(http::WebSocketReader::Options{true, agreed->from_client, content});
  upstream_reader_.emplace(http::WebSocketReader::Options{false, agreed->from_server, content});
}

void Tunnel::on_client_bytes(Bytes bytes, Time now) {
  take(conversation_.from_client, client_reader_, bytes, now);
}

void Tunnel::on_upstream_bytes(Bytes bytes, Time now) {
  take(conversation_.from_upstream, upstream_reader_, bytes, now);
}

void Tunnel::on_bytes_missed(std::string why) {
  if (!client_reader_) return;
  conversation_.from_client.unread = std::move(why);
  client_reader_.reset();
}

void Tunnel::take(Spoken& spoken, Reader& reader, Bytes bytes, Time now) {
  if (bytes.empty()) return;
  spoken.bytes += bytes.size();
  if (!report_ns_) report_ns_ = now.steady_ns + kTunnelReport_ns;
  if (conversation_.protocol != kWebSocket) {
    if (spoken.first.steady_ns == 0) spoken.first = now;
    spoken.last = now;
  }
  if (!reader) return;
  reader->put(bytes);
  while (std::optional<http::WebSocketMessage> message = reader->next()) take_message(spoken, *message, now);
  if (conversation_.keeps_messages && spoken.unshown.empty()) spoken.unshown = reader->content_failure();
  if (reader->failure().empty()) return;
  spoken.unread = reader->failure();
  reader.reset();
}

void Tunnel::take_message(Spoken& spoken, const http::WebSocketMessage& message, Time now) {
  using Opcode = http::WebSocketOpcode;
  if (spoken.first.steady_ns == 0) spoken.first = now;
  spoken.last = now;
  switch (message.opcode) {
    case Opcode::Text:
      add_to(spoken.text, spoken, message);
      break;
    case Opcode::Binary:
      add_to(spoken.binary, spoken, message);
      break;
    case Opcode::Ping:
      ++spoken.pings;
      break;
    case Opcode::Pong:
      ++spoken.pongs;
      break;
    case Opcode::Close:
      spoken.close_code = message.close_code.value_or(kNoCode);
      spoken.close_reason = message.content;
      break;
    case Opcode::Continuation:
      break;
  }
  if (conversation_.keeps_messages) keep(&spoken == &conversation_.from_client, message, now);
}

// Followers see each of them; the record keeps the first ones.
void Tunnel::keep(bool from_client, const http::WebSocketMessage& message, Time now) {
  auto facts = std::make_shared<MessageFacts>();
  facts->exchange = facts_;
  facts->time = now;
  facts->from_client = from_client;
  facts->opcode = message.opcode;
  facts->size = message.size;
  facts->content = message.content;
  facts->close_code = message.close_code;
  recorder_.message_seen(facts);
  size_t cost = facts->content.size() + kMessageCost;
  if (cost > room_ || conversation_.messages.size() == kMostMessagesKept) {
    room_ = 0;  // no later one is kept in this one's place
    ++conversation_.messages_left_out;
    return;
  }
  room_ -= cost;
  conversation_.messages.push_back(std::move(facts));
}

void Tunnel::on_time(Time now) {
  if (report_ns_ && *report_ns_ <= now.steady_ns) report();
}

void Tunnel::end(Time now) {
  if (!std::exchange(conversation_.open, false)) return;
  auto facts = std::make_shared<ExchangeFacts>(*facts_);
  facts->ended = now;
  facts_ = std::move(facts);
  report();
}

void Tunnel::report() {
  report_ns_.reset();
  auto facts = std::make_shared<ExchangeFacts>(*facts_);
  facts->conversation = std::make_shared<const Conversation>(conversation_);
  recorder_.exchange_changed(facts);
}

}  // namespace waylay::flow
