// The shell around one flow::Flow: moves bytes between it and the sockets, and carries out its commands. It decides
// nothing but how long a close may take.
//
// After every event: commands are carried out, queues are handed to the streams, receiving is resumed or paused as the
// flow wishes, the timer is set. The connection ends when the flow is finished and nothing of it is left in the kernel.
#pragma once

#include <memory>
#include <vector>

#include "flow/flow.h"
#include "io/deferred.h"
#include "io/stream.h"
#include "io/timer.h"
#include "proxy/handler_call.h"
#include "proxy/leaf_source.h"
#include "proxy/process_names.h"
#include "proxy/socket_stock.h"
#include "proxy/upstream.h"

namespace waylay::proxy {

// What the connections of a worker share.
struct Tools {
  io::Ring& ring;
  flow::Environment& environment;
  LeafSource& leaves;
  ProcessNames& processes;
  SocketStock& handler_sockets;  // of the daemon's own network
};

class Connection final : private io::Stream::Owner,
                         private Upstream::Owner,
                         private HandlerCall::Owner,
                         private flow::Sockets {
 public:
  // A client that does not read what was sent before the close is not waited for longer.
  static constexpr int64_t kFlushLimit_ns = 30 * kSecond_ns;
  // After our FIN bytes of the client may still be on their way; closing at once would answer them with RST, which
  // makes the client's kernel throw away what it has not read yet.
  static constexpr int64_t kLinger_ns = 2 * kSecond_ns;

  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_outcome(flow::Outcome before, flow::Outcome now) = 0;  // for the target's counts
    virtual void on_ended(Connection& connection) = 0;  // from Ring::run_once(), the last call; destroy it now
  };

  Connection(Tools& tools, SocketStock& sockets, flow::FlowFacts facts, flow::Settings settings, Owner& owner);

  void start(Fd client);
  void detach();             // the target goes away with --now, or the daemon stops: both sides are closed
  void no_more_upstreams();  // the target is detached: what is open goes on
  void abort();              // the time for that is over: RST to everybody
  bool handshaking() const { return flow_.handshaking(); }

 private:
  // The client.
  void on_received(io::Stream& stream, Bytes bytes) override;
  void on_end(io::Stream& stream) override;
  void on_sent(io::Stream& stream) override;
  void on_error(io::Stream& stream, Error error) override;
  void on_closed(io::Stream& stream) override;
  // Its upstreams.
  void on_upstream_connected(Upstream& upstream) override;
  void on_upstream_bytes(Upstream& upstream, Bytes bytes) override;
  void on_upstream_end(Upstream& upstream) override;
  void on_upstream_sent(Upstream& upstream) override;
  void on_upstream_failed(Upstream& upstream, Error error) override;
  void on_upstream_gone(Upstream& upstream) override;
  // For the flow's facts.
  std::optional<TcpFacts> client_tcp() const override;
  std::optional<TcpFacts> upstream_tcp(flow::UpstreamId id) const override;
  // Rules' handlers.
  void on_handler_answer(HandlerCall& call, Result<hook::Answer> answer) override;
  void on_handler_gone(HandlerCall& call) override;
  // Answers and time.
  void on_leaf(Result<LeafSource::Leaf> leaf);
  void on_process(Result<warden::ProcessInfo> process);
  void on_deadline();
  void on_leaving_limit();
  // The flow's commands.
  void carry_out(const flow::ConnectUpstream& command);
  void carry_out(const flow::RequestLeaf& command);
  void carry_out(const flow::ShutdownUpstream& command);
  void carry_out(const flow::CloseUpstream& command);
  void carry_out(const flow::ShutdownClient& command);
  void carry_out(const flow::CloseClient& command);
  void carry_out(const flow::ResetClient& command);
  void carry_out(const flow::CallHandler& command);
  void carry_out(const flow::CancelHandler& command);

  enum class Then { Nothing, Shutdown, Close };  // what follows when everything is sent to the client

  // The bases are private, std::make_unique may not convert.
  Upstream::Owner& upstream_owner() { return *this; }
  HandlerCall::Owner& handler_owner() { return *this; }
  Time now() const;
  void ask_for_process();
  bool waits_for_process() const;
  void owner_is(warden::ProcessInfo process);
  void settle();
  void sent(bool more_waits);
  void note_if_full(const ByteQueue& queue);
  void send_all();
  void send_to_client();
  void start_lingering();
  bool leaving() const { return then_ == Then::Close; }
  void set_receiving();
  void set_timer();
  void tell_outcome();
  void end_with_the_flow();
  void end_if_nothing_is_left();
  void ended() { owner_.on_ended(*this); }
  Upstream* find(flow::UpstreamId id);

  Tools& tools_;
  SocketStock& sockets_;
  Owner& owner_;
  flow::Flow flow_;
  io::Stream client_;
  Then then_ = Then::Nothing;
  flow::Outcome outcome_ = flow::Outcome::Open;  // as told to the owner
  bool lingering_ = false;                       // our FIN is sent, the client's is waited for
  bool aborted_ = false;
  bool was_full_ = false;                             // a queue: whoever filled it waits to be told of room
  std::vector<std::unique_ptr<Upstream>> upstreams_;  // one, rarely more
  std::vector<std::unique_ptr<HandlerCall>> handler_calls_;
  Waiter<LeafSource::Leaf> leaf_ = Waiter<LeafSource::Leaf>::calling<&Connection::on_leaf>(this);
  Waiter<warden::ProcessInfo> process_ = Waiter<warden::ProcessInfo>::calling<&Connection::on_process>(this);
  int64_t process_until_ns_ = 0;  // how long the client is not read for that
  io::Timer deadline_;
  io::Timer leaving_limit_;
  io::Deferred ended_ = io::Deferred::calling<&Connection::ended>(this);
};

}  // namespace waylay::proxy
