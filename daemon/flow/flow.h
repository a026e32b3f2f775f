// One intercepted connection, without I/O: bytes and events in by method calls, bytes and a few commands out. A shell
// (proxy/connection) moves the bytes between this object and two sockets.
//
// The order of things: ClientHello -> decide -> upstream connected and verified -> leaf -> client's handshake ->
// exchanges. When a rule may answer in the upstream's place (rules::RuleSet::may_answer) the upstream is left for
// later: it is connected when the first exchange needs it.
//
//      AwaitingHello ──not for us──────────────> PassingThrough
//           │ (HoldingHello while a rule delays)       │
//           v                                          │
//      ConnectingUpstream ─> UpstreamHandshake ─┐      │
//           (skipped if lazy)                   v      │
//                           AwaitingLeaf ─> ClientHandshake ─> Relaying ─> Ended
//
// Ownership: the shell owns the Flow and keeps it until finished() is true and both sockets are closed. Spans handed in
// are borrowed for the call. The queues belong to the Flow: the shell consumes what it has sent. After every call into
// the Flow the shell drains next_command() and sends what is in the queues. Back-pressure: the shell receives from a
// side only while wants_...() is true; what arrives in one more receive buffer is taken all the same.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <variant>

#include "base/byte_queue.h"
#include "flow/facts.h"
#include "flow/rejections.h"
#include "flow/relay.h"
#include "flow/upstream_protocols.h"
#include "rules/rule_book.h"
#include "tls/alert.h"
#include "tls/channel.h"
#include "tls/client_hello.h"
#include "tls/context.h"
#include "tls/leaf.h"

namespace waylay::flow {

using UpstreamId = uint32_t;

// Commands to the shell.
struct ConnectUpstream {  // answer: on_upstream_connected or on_upstream_failed, with this id
  UpstreamId id = 0;
  Address to;
};
struct RequestLeaf {       // answer: on_leaf
  std::string name;        // DNS name or IP literal
  X509* mirror = nullptr;  // the upstream's leaf; borrowed until the flow's next event; null: from the name alone
  rules::TlsFault::Certificate kind = rules::TlsFault::Certificate::Right;
  tls::LeafKey key = tls::LeafKey::P256;
};
struct ShutdownUpstream {  // FIN once to_upstream is sent; the upstream may go on sending
  UpstreamId id = 0;
};
struct CloseUpstream {  // nothing more of it is wanted; what is queued is sent first unless `reset`
  UpstreamId id = 0;
  bool reset = false;
};
struct ShutdownClient {};  // FIN once to_client is sent; the client may go on sending
struct CloseClient {};  // what is queued is sent, then FIN; nothing more from the client is wanted (linger a moment, so
                        // that bytes still arriving do not turn the close into a reset)
struct ResetClient {};  // RST at once
struct CallHandler {    // answer: on_handler_answer, with this exchange
  uint64_t exchange = 0;
  std::shared_ptr<const rules::Handler> handler;
  std::string event;
};
struct CancelHandler {  // nobody waits for it any more
  uint64_t exchange = 0;
};
using Command = std::variant<ConnectUpstream, RequestLeaf, ShutdownUpstream, CloseUpstream, ShutdownClient, CloseClient,
                             ResetClient, CallHandler, CancelHandler>;

// What all flows of a worker share; borrowed, outlives every flow.
struct Environment {
  tls::ClientContext& client_tls;
  tls::UpstreamContext& upstream_tls;
  rules::RuleBook& rules;
  Rejections& rejections;
  UpstreamProtocols& protocols;
  Recorder& recorder;
  Identifiers& identifiers;
  std::span<std::byte> scratch;  // for one decrypted record: at least 16 KiB + 256; used within a call only
  bool error_page = false;  // an upstream that cannot be reached or trusted: 502 with the reason, else RST or an alert
  tls::ClientPolicy client_policy = {};
};

struct Settings {  // of this connection's target
  bool insist = false;
};

// What only the owner of the sockets can tell.
class Sockets {
 public:
  virtual ~Sockets() = default;
  virtual std::optional<TcpFacts> client_tcp() const = 0;
  virtual std::optional<TcpFacts> upstream_tcp(UpstreamId id) const = 0;
};

class Flow final : private Relay::Link {
 public:
  // `facts` has target, owner, client and destination filled in. The id is given here.
  Flow(Environment& environment, FlowFacts facts, Settings settings, Time now);
  ~Flow() override;

  // Borrowed, outlives the flow; asked as either side is let go.
  void set_sockets(const Sockets& sockets) { sockets_ = &sockets; }

  // Events.
  void on_client_bytes(Bytes bytes, Time now);
  void on_client_eof(Time now);                         // FIN; the client may still receive
  void on_client_failed(const Error& error, Time now);  // reset, or gone for any other reason
  void on_upstream_connected(UpstreamId id, Time now);
  void on_upstream_failed(UpstreamId id, Error error, Time now);  // connect refused, or the connection broke later
  void on_upstream_bytes(UpstreamId id, Bytes bytes, Time now);
  void on_upstream_eof(UpstreamId id, Time now);
  void on_leaf(Result<std::shared_ptr<const tls::Leaf>> leaf, Time now);
  void on_handler_answer(uint64_t exchange, Result<hook::Answer> answer, Time now);
  void on_time(Time now);               // deadline() has come
  void on_sent(Time now);               // bytes of a queue that was not full: nothing has changed by that
  void on_writable(Time now);           // of one that was: wants_...() may have changed
  void on_owner(Owner owner);           // what the warden could add about the process (exe, cgroup, container)
  void on_no_more_upstreams(Time now);  // the target is detached: what is open goes on, nothing new can be connected
  void on_detached(Time now);           // the target goes away with --now, or the daemon stops: close both sides

  // Output. What may wait for a slow peer before we stop receiving from the other side: enough to keep a fast link
  // busy.
  static constexpr size_t kQueueLimit = 256 * 1024;
  ByteQueue& to_client() { return to_client_; }
  ByteQueue& to_upstream(UpstreamId id);
  std::optional<Command> next_command();
  bool wants_client_bytes() const;
  bool wants_upstream_bytes(UpstreamId id) const;
  std::optional<int64_t> deadline_ns() const;  // steady clock; asked after every event
  bool finished() const { return state_ == State::Ended; }
  bool handshaking() const;  // before exchanges or passthrough: what detach waits for

  const FlowFacts& facts() const { return facts_; }

 private:
  enum class State {
    AwaitingHello,
    HoldingHello,
    ConnectingUpstream,
    UpstreamHandshake,
    AwaitingLeaf,
    ClientHandshake,
    Relaying,
    PassingThrough,
    Ended
  };

  // Deciding.
  void read_hello();
  bool obey_rules();
  void refuse_by_rule(const std::string& what, std::optional<uint8_t> alert);
  void go_on_after_hello();
  void pass_through(std::string reason);
  void intercept();
  bool protocol_is_known();
  void go_on_without_upstream();
  void handshake_without_upstream();
  // Upstream side.
  void connect_upstream();
  Address upstream_address() const;
  std::vector<std::string> protocols_to_offer() const;
  std::string upstream_key() const;
  void start_upstream_handshake();
  void pump_upstream(Bytes bytes);
  void upstream_handshake_done();
  void upstream_handshake_failed();
  void upstream_lost(bool clean_end, std::optional<Error> error);
  bool client_may_go_on() const;
  void upstream_said_all();
  void tunnel_is_over(bool broken);
  void note_tls_failure();
  bool may_show_error_page() const;
  void show_error_page(std::string why, bool reset_upstream);
  // Client side.
  void request_leaf(X509* mirror);
  void pump_client(Bytes bytes);
  void client_said_all();
  void client_handshake_done();
  void make_relay();
  void client_gone_in_handshake(const std::string& what);
  bool client_wants_ech() const;
  void learn_refusal(std::string reason);
  void look_for_silent_refusal();
  // Ending.
  void refuse_client(const Error& error, tls::Alert alert);
  void fail(std::string reason);
  void give_up(std::string reason);
  void drop_upstream(bool reset);
  void say_all_to_upstream();
  void drop_client(Command how);
  void end_if_done();
  bool upstream_is_coming() const;
  bool half_closed() const;
  void publish();
  void note_bytes(Traffic& traffic, Bytes bytes);
  void settle();
  static void flush_into(std::optional<tls::Channel>& channel, ByteQueue& plain);
  Rejections::Key rejection_key() const;

  // Relay::Link
  bool client_is_behind() const override;
  bool upstream_is_behind() const override;
  void to_client(Bytes plaintext) override;
  void to_upstream(Bytes plaintext) override;
  void need_upstream(const rules::Redirect* elsewhere) override;
  void close_client(bool with_close_notify) override;
  void reset_client() override;
  void shutdown_upstream() override;
  void close_upstream(bool reset) override;
  void call_handler(uint64_t exchange, std::shared_ptr<const rules::Handler> handler, std::string event) override;
  void cancel_handler(uint64_t exchange) override;

  Environment& environment_;
  const Sockets* sockets_ = nullptr;
  FlowFacts facts_;
  std::shared_ptr<const FlowFacts> published_;
  Settings settings_;
  State state_ = State::AwaitingHello;
  Time now_;  // of the event being handled

  ByteQueue hello_;     // what the client sent until its channel or the passthrough takes it
  std::string alpn_;    // chosen for both sides
  bool named_ = false;  // the client sent a server name
  bool lazy_ = false;
  bool asks_protocol_ = false;  // lazy, but the upstream is connected to learn what it speaks
  tls::LeafKey leaf_key_ = tls::LeafKey::P256;
  rules::TlsFault tls_fault_;
  std::optional<rules::Redirect> redirect_;  // of the whole connection, where no exchange is sent elsewhere
  int64_t held_until_ns_ = 0;                // in HoldingHello
  bool client_eof_ = false, client_gone_ = false, client_dropped_ = false;
  bool client_talks_ = false;  // it sent data over our leaf
  int64_t handshake_done_ns_ = 0;

  enum class Upstream { None, Connecting, Handshake, Open, Gone };
  Upstream upstream_ = Upstream::None;
  std::optional<rules::Redirect> elsewhere_;  // where the current one is, if not where the client meant to go
  UpstreamId upstream_id_ = 0;                // of the current upstream connection; 0 before the first
  bool upstream_eof_ = false;
  bool upstream_said_all_ = false;  // in a tunnel, whose client has not

  // The queues come before the channels that write into them.
  ByteQueue to_client_, to_upstream_;
  ByteQueue upstream_early_;  // plaintext that came before the relay was there: an HTTP/2 server speaks at once
  ByteQueue client_plain_, upstream_plain_;  // plaintext gathered within one event, sealed in settle()
  std::optional<tls::Channel> client_channel_, upstream_channel_;
  std::unique_ptr<Relay> relay_;
  std::deque<Command> commands_;
  int64_t handshake_deadline_ns_ = 0;
  int64_t upstream_deadline_ns_ = 0;  // of an upstream that is coming after the client's handshake
  int64_t last_moved_ns_ = 0;         // bytes came or went
  ByteQueue nothing_;                 // what is asked of an upstream id that is gone
};

}  // namespace waylay::flow
