#include "cli/conversation.h"

#include <nlohmann/json.hpp>

#include "cli/terminal.h"

namespace waylay::cli {
namespace {

std::string size_of(const Json& json, std::string_view key) {
  return human_size(static_cast<uint64_t>(number(json, key)));
}

std::string append(std::string text, std::string_view separator, const std::string& part) {
  if (part.empty()) return text;
  return text.empty() ? part : text.append(separator).append(part);
}

// "1 ping", "2 pings"; "" of none.
std::string counted(const Json& spoken, std::string_view key, std::string_view one, std::string_view many) {
  auto count = static_cast<uint64_t>(number(spoken, key));
  return count == 0 ? "" : std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

std::string close_of(const Json& spoken) {
  if (!member(spoken, "close_code").is_number()) return "";
  std::string reason = text(spoken, "close_reason");
  return "closed " + to_line(member(spoken, "close_code")) + (reason.empty() ? "" : " (" + reason + ")");
}

std::string amount(const Json& spoken) {
  return member(spoken, "messages").is_number() ? to_line(member(spoken, "messages")) : size_of(spoken, "bytes");
}

std::string spoken_in_words(const Json& spoken) {
  std::string out = size_of(spoken, "bytes");
  if (member(spoken, "messages").is_number()) {
    out = counted(spoken, "messages", "message", "messages");
    out = out.empty() ? "no messages" : out + " (" + size_of(spoken, "payload_bytes") + ")";
  }
  std::string types =
      append(counted(spoken, "text", "text", "text"), ", ", counted(spoken, "binary", "binary", "binary"));
  out = append(std::move(out), ": ", types);
  for (const std::string& more :
       {counted(spoken, "pings", "ping", "pings"), counted(spoken, "pongs", "pong", "pongs"), close_of(spoken)})
    out = append(std::move(out), "; ", more);
  if (std::string unread = text(spoken, "unread"); !unread.empty()) out += "; not read from there on: " + unread;
  if (std::string unshown = text(spoken, "unshown"); !unshown.empty()) out += "; content not shown: " + unshown;
  return out;
}

}  // namespace

std::string conversation_in_words(const Json& exchange) {
  const Json& conversation = member(exchange, "conversation");
  if (!conversation.is_object()) return "";
  const Json &client = member(conversation, "from_client"), &upstream = member(conversation, "from_upstream");
  std::string out = text(conversation, "protocol") + ": " + amount(client) + " up, " + amount(upstream) + " down";
  std::string close = close_of(client);
  out = append(std::move(out), ", ", close.empty() ? close_of(upstream) : close);
  return flag(conversation, "open") ? out + ", open" : out;
}

std::vector<std::pair<std::string, std::string>> conversation_lines(const Json& exchange) {
  const Json& conversation = member(exchange, "conversation");
  if (!conversation.is_object()) return {};
  std::string protocol = append(text(conversation, "protocol"), ", ", text(conversation, "extensions"));
  return {{"conversation", protocol + (flag(conversation, "open") ? ", open" : "")},
          {"from client", spoken_in_words(member(conversation, "from_client"))},
          {"from upstream", spoken_in_words(member(conversation, "from_upstream"))}};
}

std::string message_content(const Json& message) {
  bool is_text = member(message, "text").is_string();
  std::string content = is_text ? text(message, "text") : text(message, "base64");
  if (!is_text && !content.empty()) content = "base64 " + content;
  if (member(message, "close_code").is_number()) content = append(to_line(member(message, "close_code")), " ", content);
  return flag(message, "cut") ? content + " ..." : content;
}

}  // namespace waylay::cli
