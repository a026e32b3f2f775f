#include "control/render_conversation.h"

#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/utf8.h"
#include "control/render_values.h"

namespace waylay::control {
namespace {

Json close_code_of(const std::optional<uint16_t>& code) {
  return code ? Json(*code) : Json(nullptr);
}

Json spoken_of(const flow::Spoken& spoken, const flow::Conversation& conversation, Time began) {
  Json json = {{"bytes", spoken.bytes},
               {"messages", conversation.counts_messages() ? Json(spoken.messages) : Json(nullptr)},
               {"payload_bytes", spoken.payload},
               {"text", spoken.text},
               {"binary", spoken.binary},
               {"pings", spoken.pings},
               {"pongs", spoken.pongs},
               {"close_code", close_code_of(spoken.close_code)},
               {"close_reason", text_or_null(spoken.close_reason)}};
  json["first_ms"] = duration_or_null(began, spoken.first);
  json["last_ms"] = duration_or_null(began, spoken.last);
  json["unread"] = text_or_null(spoken.unread);
  json["unshown"] = text_or_null(spoken.unshown);
  return json;
}

// The beginning of a text may end within a character.
std::string_view whole_characters(std::string_view text) {
  constexpr size_t kMostOfOne = 4;
  for (size_t cut = 0; cut < kMostOfOne && cut <= text.size(); ++cut)
    if (std::string_view shorter = text.substr(0, text.size() - cut); is_utf8(shorter)) return shorter;
  return text;
}

void add_message(Json& json, const flow::MessageFacts& message) {
  using Opcode = http::WebSocketOpcode;
  bool is_cut = message.content.size() < message.size;
  std::string_view content = is_cut ? whole_characters(message.content) : std::string_view(message.content);
  bool is_text = (message.opcode == Opcode::Text || message.opcode == Opcode::Close) && is_utf8(content);
  json["from"] = message.from_client ? "client" : "upstream";
  json["message"] = to_string(message.opcode);
  json["bytes"] = message.size;
  json["text"] = is_text ? Json(content) : Json(nullptr);
  json["base64"] = is_text ? Json(nullptr) : Json(encode_base64(message.content));
  json["cut"] = is_cut;
  json["close_code"] = close_code_of(message.close_code);
}

Json messages_of(const flow::Conversation& conversation) {
  if (!conversation.keeps_messages) return nullptr;
  Json messages = Json::array();
  for (const auto& message : conversation.messages) {
    Json json = {{"time", time_or_null(message->time.wall_ns)}};
    add_message(json, *message);
    messages.push_back(std::move(json));
  }
  return messages;
}

}  // namespace

Json conversation_to_json(const flow::ExchangeFacts& facts) {
  if (!facts.conversation) return nullptr;
  const flow::Conversation& conversation = *facts.conversation;
  return {{"protocol", conversation.protocol},
          {"extensions", text_or_null(conversation.extensions)},
          {"open", conversation.open},
          {"from_client", spoken_of(conversation.from_client, conversation, facts.started)},
          {"from_upstream", spoken_of(conversation.from_upstream, conversation, facts.started)},
          {"messages", messages_of(conversation)},
          {"messages_left_out", conversation.messages_left_out}};
}

Json to_json(const flow::MessageFacts& facts) {
  const flow::ExchangeFacts& exchange = *facts.exchange;
  Json json = {{"type", "message"}, {"exchange", exchange.id}, {"time", time_or_null(facts.time.wall_ns)}};
  json["flow"] = exchange.flow ? Json(exchange.flow->id) : Json(nullptr);
  if (exchange.flow) add_connection(json, *exchange.flow);
  json["host"] = text_or_null(exchange.host);
  json["path"] = text_or_null(exchange.target);
  add_message(json, facts);
  return json;
}

}  // namespace waylay::control
