// What is known of an intercepted connection (FlowFacts) and of each HTTP exchange on it (ExchangeFacts): plain data,
// made by flow::Flow, kept by record::Store, shown by the API. Secrets are taken out before a value gets in here
// (redact.h), so nothing behind this line can leak them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aws/call.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/spare.h"
#include "base/tcp_facts.h"
#include "flow/conversation.h"
#include "http/message.h"
#include "tls/cause.h"
#include "tls/record_lengths.h"

namespace waylay::flow {

// Who made the connection, as the kernel saw it at connect() and the warden named it.
struct Owner {
  uint32_t pid = 0, tid = 0, uid = 0, gid = 0;
  uint64_t cgroup_id = 0;
  std::string comm, exe;  // exe is empty when the process was gone before it could be asked
  std::string cgroup, container_id, container_name, container_image;
};

enum class Outcome : uint8_t {
  Open,         // not decided yet
  Intercepted,  // decrypted
  PassedThrough,
  Bypassed,  // seen but not ours to touch
  Failed,    // reason says why
};
std::string_view to_string(Outcome outcome);

struct TlsFacts {
  std::string version, cipher, alpn;
  bool resumed = false;
};

// One direction of a connection, as received.
struct Traffic {
  Time first, last;            // bytes came; steady 0: none did
  tls::RecordLengths records;  // counted where the connection is passed through
};

struct AppliedRule {
  std::string rule, what;
  bool injected = false;
};

struct FlowFacts {
  uint64_t id = 0;
  uint32_t target = 0;  // 0: --listen
  std::string target_name;
  Owner owner;
  Address client, destination;
  Time opened, closed;
  std::string server_name;  // SNI, or the destination's address when the client sent none
  std::vector<std::string> alpn_offered;
  uint16_t tls_version_offered = 0;  // 0x0304 is TLS 1.3; 0: no ClientHello was read
  std::string ja4;
  bool ech_offered = false;  // an encrypted ClientHello, real or GREASE
  TlsFacts client_tls, upstream_tls;
  tls::Cause tls_failure = tls::Cause::None;  // why there was no TLS with the upstream
  bool client_certificate = false;            // the upstream asked for ours and got it
  Outcome outcome = Outcome::Open;
  std::string reason;                                       // of a passthrough or a failure
  uint64_t bytes_from_client = 0, bytes_from_upstream = 0;  // as received, TLS records and all
  Traffic from_client, from_upstream;
  std::optional<TcpFacts> client_tcp, upstream_tcp;  // asked when we let go of the connection
  uint32_t exchanges = 0;
  std::vector<AppliedRule> applied;  // to the connection itself
};

enum class ExchangeEnd : uint8_t {
  Open,
  Complete,
  Aborted,    // by a rule
  Truncated,  // the upstream's response ended before its length
  ClientGone,
  UpstreamFailed,  // error says why
  Refused,         // a message that we do not forward
  Upgraded,        // 101 or CONNECT: bytes from here on
};
std::string_view to_string(ExchangeEnd end);

struct ExchangeFacts final : Spared<ExchangeFacts> {
  uint64_t id = 0;
  std::shared_ptr<const FlowFacts> flow;  // as it was when the exchange began
  Time started, request_sent, response_started, ended;
  std::string host, target;  // target is redacted (presigned queries)
  // Moved in when the exchange ends, redacted; the response as it was sent to the client.
  std::optional<http::Head> request, response;
  uint64_t request_body = 0, response_body = 0;  // content octets
  int upstream_status = 0;                       // 0: no answer came from upstream
  int status = 0;                                // what the client got; 0: none
  aws::Call call;
  std::vector<AppliedRule> applied;
  std::vector<std::string> notes;  // what rules could not do, and why
  uint64_t rules_version = 0;
  ExchangeEnd end = ExchangeEnd::Open;
  std::string error;
  std::shared_ptr<const Conversation> conversation;  // null: there is none
  bool injected() const;
  // Told again at a tunnel's end. Whoever counts exchanges has counted it when it was upgraded.
  bool is_told_again() const { return end == ExchangeEnd::Upgraded && conversation && !conversation->open; }
};

// Where finished facts go: the worker passes an implementation to each flow. Called on the worker's thread; must not
// block.
class Recorder {
 public:
  virtual ~Recorder() = default;
  virtual void flow_changed(const std::shared_ptr<const FlowFacts>& facts) = 0;  // opened, decided, closed
  virtual void exchange_ended(const ExchangeFacts& facts) = 0;                   // borrowed for the call
  // Of a tunnel, which goes on after its exchange has ended: what went through it so far, or in all.
  virtual void exchange_changed(const std::shared_ptr<const ExchangeFacts>&) {}
  virtual void message_seen(const std::shared_ptr<const MessageFacts>&) {}  // one of those that a rule wants kept
};

}  // namespace waylay::flow
