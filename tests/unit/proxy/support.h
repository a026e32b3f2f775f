// What the proxy's tests have in common: a warden in a thread, origin servers in threads, and a shell that runs
// connections in a ring of the test's own.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "io/ring.h"
#include "proxy/connection.h"
#include "proxy/shared.h"
#include "proxy/warden_link.h"
#include "tls/ca.h"
#include "warden/protocol.h"

namespace waylay::proxy::testing {

constexpr int64_t kPatience_ns = 20 * kSecond_ns;

std::pair<Fd, Fd> channel_pair();
Fd listen_on_loopback();
Address address_of(int fd);
Fd connect_to(const Address& address);
// A blocking read or write fails instead of holding the test up for ever. Calls with such a
// limit also fail with EINTR, and are never restarted by the kernel, when it takes down a ring that this thread had
// before: the functions here go on then.
void give_up_after_patience(int fd);
std::string read_all(int fd);
std::string read_some(int fd, size_t size);  // so much of it, or less at its end
bool write_all(int fd, std::string_view text);

// Answers a worker's questions as the warden would; what it was asked is counted.
class FakeWarden {
 public:
  FakeWarden();
  ~FakeWarden();
  Fd take_channel() { return std::move(worker_end_); }  // the worker's
  void leave();                                         // ends the channel, as a crash would
  std::string ca_pem() const { return *ca_.certificate_pem(); }

  std::atomic<int> signatures{0};
  std::atomic<int> socket_questions{0};
  std::atomic<int> sockets_given{0};
  std::atomic<int> largest_question{0};
  std::atomic<int> process_questions{0};
  std::atomic<int64_t> process_delay_ns{0};  // before each answer; flow::kForEver_ns: none comes
  std::atomic<bool> refuses_sockets{false};

 private:
  void serve();
  void answer(const warden::Message& question);
  void give_sockets(const warden::Message& question);

  tls::CertificateAuthority ca_;
  Fd worker_end_, own_end_;
  std::thread thread_;
};

// A server on loopback with a thread for each connection; what a connection does is given as a function.
class Origin {
 public:
  using Talk = std::function<void(int fd)>;
  explicit Origin(Talk talk);
  ~Origin();
  const Address& address() const { return address_; }
  std::atomic<int> connections{0};

 private:
  Talk talk_;
  Fd listener_;
  Address address_;
  std::mutex mutex_;
  std::vector<std::thread> threads_;
  std::vector<int> open_;
  std::thread acceptor_;
};

// An HTTPS origin for one name, whose issuer is `root_pem`; its one request gets `response`, then it closes.
class TlsOrigin {
 public:
  explicit TlsOrigin(std::string name, std::string response);
  const Address& address() const { return origin_->address(); }
  const std::string& root_pem() const { return root_pem_; }
  std::atomic<int> requests{0};

 private:
  void talk(int fd);
  std::string response_, root_pem_;
  tls::SslCtx context_;
  std::unique_ptr<Origin> origin_;
};

// What a client gets for one request through TLS, verified against `root_pem`; the error instead, in brackets.
std::string https_get(const Address& to, const std::string& name, const std::string& root_pem,
                      const std::string& request);

class Records final : public flow::Recorder {
 public:
  void flow_changed(const std::shared_ptr<const flow::FlowFacts>& facts) override;
  void exchange_ended(const flow::ExchangeFacts& facts) override;
  std::shared_ptr<const flow::FlowFacts> last_flow() const;
  std::vector<std::shared_ptr<const flow::ExchangeFacts>> exchanges() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const flow::FlowFacts> flow_;
  std::vector<std::shared_ptr<const flow::ExchangeFacts>> exchanges_;
};

// Runs connections as a worker does, in the test's thread. Each client that connects to address() is taken for one that
// was redirected on its way to `destination`.
class Shell final : private WardenLink::Owner, private Connection::Owner {
 public:
  Shell(FakeWarden& warden, const std::string& upstream_root_pem = {});
  ~Shell() override;

  Address address() const { return address_of(listener_.get()); }
  void accept(const Address& destination);  // one connection that is waiting
  bool run_until(const std::function<bool()>& holds);
  void run_for(int64_t ns);
  // Turns, accepting everybody, while `clients` run in their threads.
  void serve(const Address& destination, std::vector<std::thread> clients);
  size_t connections() const { return connections_.size(); }

  rules::RuleBook rules;
  flow::Rejections rejections;
  flow::UpstreamProtocols protocols;
  flow::Identifiers identifiers;
  Records records;
  std::vector<flow::Outcome> outcomes;
  std::unique_ptr<io::Ring> ring;
  uint32_t target = 7;

 private:
  void on_signature(uint64_t id, Result<std::string> signature) override;
  void on_sockets(uint32_t target, Family family, Result<std::vector<Fd>> sockets) override;
  void on_process(uint64_t id, std::optional<warden::ProcessInfo> process) override;
  void on_warden_lost(Error error) override;
  void on_outcome(flow::Outcome before, flow::Outcome now) override;
  void on_ended(Connection& connection) override;
  Connection::Owner& owner() { return *this; }

  Fd listener_;
  tls::ClientContext client_tls_;
  tls::UpstreamContext upstream_tls_;
  std::unique_ptr<tls::LeafMinter> minter_;
  tls::LeafCache cache_;
  std::vector<std::byte> scratch_;
  WardenLink link_;
  LeafSource leaves_;
  ProcessNames processes_;
  SocketStock handler_sockets_;
  flow::Environment environment_;
  Tools tools_;

 public:
  SocketStock sockets;

 private:
  std::unordered_map<const Connection*, std::unique_ptr<Connection>> connections_;
};

}  // namespace waylay::proxy::testing
