// An exchange that has become a tunnel: after 101 or CONNECT there are bytes in both directions. The relay that carries
// them has sent them on when it tells them here; a WebSocket's are read, all are counted.
//
// The exchange was recorded when it was upgraded. Its facts are told again with what went through: at most once a
// second while something does, and at the end. Owned by the relay (HTTP/1.1) or by the stream's exchange (HTTP/2).
#pragma once

#include <memory>
#include <optional>

#include "flow/facts.h"
#include "http/websocket.h"

namespace waylay::flow {

// Of a conversation whose messages are kept, beside the octets that the rule allows.
constexpr size_t kMostMessagesKept = 1'000;
constexpr size_t kMostMessageContent = 16 * 1024;  // of one of them
constexpr int64_t kTunnelReport_ns = kSecond_ns;

class Tunnel {
 public:
  // `keep`: so many octets of messages in all, 0: none. `facts` are those that were recorded; their conversation is as
  // conversation_of() made it.
  Tunnel(std::shared_ptr<const ExchangeFacts> facts, Recorder& recorder, size_t keep);

  void on_client_bytes(Bytes bytes, Time now);
  void on_upstream_bytes(Bytes bytes, Time now);
  void on_bytes_missed(std::string why);  // what the client sent first is not known
  void on_time(Time now);
  std::optional<int64_t> deadline_ns() const { return report_ns_; }
  void end(Time now);  // idempotent

  // How it begins. `protocol` is that of an extended CONNECT; "": look at the heads.
  static std::shared_ptr<const Conversation> conversation_of(const ExchangeFacts& facts, std::string_view protocol);

 private:
  using Reader = std::optional<http::WebSocketReader>;
  void start_readers();
  void take(Spoken& spoken, Reader& reader, Bytes bytes, Time now);
  void take_message(Spoken& spoken, const http::WebSocketMessage& message, Time now);
  void keep(bool from_client, const http::WebSocketMessage& message, Time now);
  void report();

  std::shared_ptr<const ExchangeFacts> facts_;
  Recorder& recorder_;
  size_t room_;  // for messages' content
  Conversation conversation_;
  Reader client_reader_, upstream_reader_;  // of a WebSocket, until one of them cannot read on
  std::optional<int64_t> report_ns_;        // something has changed, and is told then
};

}  // namespace waylay::flow
