// One thread of the proxy with everything that belongs to it alone: ring, TLS contexts, a channel to the warden, and
// per target a gate. Connections never move to another worker.
#pragma once

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/handle.h"
#include "flow/flow.h"
#include "io/mailbox.h"
#include "io/ring.h"
#include "proxy/gate.h"
#include "proxy/leaf_source.h"
#include "proxy/process_names.h"
#include "proxy/shared.h"
#include "proxy/warden_link.h"

namespace waylay::proxy {

class Worker final : private WardenLink::Owner {
 public:
  // What is open when the daemon stops may end within this time.
  static constexpr int64_t kStopLimit_ns = 3 * kSecond_ns;
  static constexpr int64_t kCloseLimit_ns = 1 * kSecond_ns;  // and after that is closed, but not waited for longer

  using Done = std::move_only_function<void()>;  // called in the worker's thread

  // Everything that needs privileges or descriptors is made here, before the thread exists.
  static Result<std::unique_ptr<Worker>> make(unsigned index, Shared& shared, const tls::TicketKeys& keys,
                                              Fd warden_channel, const io::RingOptions& options = {});
  ~Worker() override;

  Result<void> start();  // the thread; returns when its ring is enabled

  // From any thread.
  void add(std::shared_ptr<const Target> target, std::vector<Fd> listeners, Done accepting);
  void remove(uint32_t target, bool close_connections, Done drained);
  void stop();  // no new connections; those that are open may finish within the limits above
  void join();

 private:
  struct Contexts {
    tls::ClientContext client;
    tls::UpstreamContext upstream;
  };
  Worker(unsigned index, Shared& shared, Contexts contexts, std::unique_ptr<io::Ring> ring,
         std::unique_ptr<io::Mailbox> mailbox, Fd warden_channel);

  void on_signature(uint64_t id, Result<std::string> signature) override;
  void on_sockets(uint32_t target, Family family, Result<std::vector<Fd>> sockets) override;
  void on_process(uint64_t id, std::optional<warden::ProcessInfo> process) override;
  void on_warden_lost(Error error) override;

  void run(std::promise<Result<void>> started);
  void turn();
  void renew_ticket_keys();
  void open_gate(std::shared_ptr<const Target> target, std::vector<Fd> listeners);
  void drain_gate(uint32_t target, bool close_connections, Done drained);
  void begin_stop();
  void next_step_of_stop();
  void close_when_empty();

  const unsigned index_;
  Shared& shared_;
  Contexts contexts_;
  std::unique_ptr<io::Ring> ring_;
  std::unique_ptr<io::Mailbox> mailbox_;
  Fd warden_channel_;
  std::vector<std::byte> scratch_;
  WardenLink warden_;
  LeafSource leaves_;
  ProcessNames processes_;
  SocketStock handler_sockets_;
  flow::Environment environment_;
  Tools tools_;
  std::map<uint32_t, std::unique_ptr<Gate>> gates_;
  enum class Stop { No, Finishing, Closing, Aborting } stop_ = Stop::No;
  io::Timer ticket_timer_;
  io::Timer stop_timer_;
  bool links_closed_ = false;
  std::thread thread_;
};

}  // namespace waylay::proxy
