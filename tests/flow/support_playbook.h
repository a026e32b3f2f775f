// A conversation through one Flow, in memory: a real TLS client on one side, a real TLS origin on the other, and this
// class in the shell's place. A story says what the two ends do, runs, and looks at what each of them got, at the
// commands the flow gave and at what was recorded.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flow/flow.h"
#include "tls/ca.h"

namespace waylay::flow {

// Certificate authorities and contexts are dear: made once for all stories.
class TestWorld {
 public:
  static TestWorld& instance();
  std::shared_ptr<const tls::Leaf> leaf(tls::CertificateAuthority& ca, tls::LeafMinter& minter, const std::string& name,
                                        X509* mirror, Time now, tls::LeafKey key = tls::LeafKey::P256);

  tls::CertificateAuthority origin_ca, waylay_ca;
  std::unique_ptr<tls::LeafMinter> origin_minter, waylay_minter;
  tls::ClientContext origin_context, client_side_context;
  tls::UpstreamContext upstream_context;           // trusts origin_ca: what Waylay uses
  tls::UpstreamContext trusting_client_context;    // trusts waylay_ca: a client after attach
  tls::UpstreamContext untrusting_client_context;  // trusts origin_ca only: a client that was not told

 private:
  TestWorld();
};

class Recording final : public Recorder {
 public:
  void flow_changed(const std::shared_ptr<const FlowFacts>& facts) override { flow = facts; }
  void exchange_ended(const ExchangeFacts& facts) override {
    exchanges.push_back(std::make_shared<const ExchangeFacts>(facts));
  }
  void exchange_changed(const std::shared_ptr<const ExchangeFacts>& facts) override { changes.push_back(facts); }
  void message_seen(const std::shared_ptr<const MessageFacts>& facts) override { messages.push_back(facts); }
  std::shared_ptr<const FlowFacts> flow;
  std::vector<std::shared_ptr<const ExchangeFacts>> exchanges, changes;
  std::vector<std::shared_ptr<const MessageFacts>> messages;
};

class Playbook {
 public:
  struct Setup {
    std::string name = "origin.test";
    std::string origin_name;  // of the origin's certificate; empty: the same
    std::string rules;        // JSON
    std::vector<std::string> client_alpn = {"http/1.1"};
    std::string origin_alpn = "http/1.1";  // what it speaks; nothing if the client offers nothing
    bool client_trusts_us = true;
    bool insist = false;
    bool error_page = false;
    size_t piece = 0;  // bytes handed to the flow at a time; 0: whatever is there
    Rejections* rejections = nullptr;
    std::function<tls::Channel(ByteQueue*)> origin = {};  // instead of one with a good certificate
    std::string origin_says_raw = {};                     // instead of TLS, as soon as it is connected to
    tls::UpstreamContext* upstream = nullptr;             // Waylay's, instead of one that trusts that origin
    UpstreamProtocols* protocols = nullptr;
    std::function<tls::Channel(ByteQueue*)> client = {};  // instead of one made like Waylay's own upstream side
    tls::ClientPolicy client_policy = {};
  };
  explicit Playbook(Setup setup);
  Playbook() : Playbook(Setup{}) {}
  ~Playbook();

  // What the two ends do. Each is followed by run(), which moves bytes until nothing moves.
  void client_says(std::string_view plaintext);
  void origin_says(std::string_view plaintext);
  void client_sends_raw(std::string_view bytes);  // instead of TLS
  void client_closes(bool with_close_notify = true);
  void client_resets();
  void origin_closes(bool with_close_notify = true);
  void origin_resets();
  void origin_refuses_connections(std::string why = "connection refused");  // from now on
  void origin_never_answers() { origin_silent_ = true; }  // from now on it accepts connections and says nothing
  void origin_speaks(std::string alpn) { setup_.origin_alpn = std::move(alpn); }  // from its next connection on
  void client_stops_reading() { client_reads_ = false; }
  void client_reads_again();
  void wait(int64_t milliseconds);
  void handler_answers(Result<hook::Answer> answer);  // the call made last
  void run();

  // What they got.
  std::string client_got() const { return client_got_; }  // decrypted
  std::string origin_got() const { return origin_got_; }
  std::string client_got_raw() const { return client_raw_; }
  std::string origin_got_raw() const { return origin_raw_; }
  std::string take_client_got() { return std::exchange(client_got_, {}); }
  std::string take_origin_got() { return std::exchange(origin_got_, {}); }
  bool client_saw(std::string_view command) const;  // "ResetClient", "CloseClient", ...
  bool client_saw_close_notify() const { return client_close_notify_; }
  bool origin_saw_close_notify() const { return origin_ && !origin_->truncated(); }
  std::string client_error() const;
  std::string origin_error() const;
  std::string issuer_seen_by_client() const { return issuer_seen_by_client_; }
  int connections() const { return connections_; }
  const std::vector<CallHandler>& handler_calls() const { return handler_calls_; }
  const std::vector<std::string>& commands() const { return commands_; }
  const FlowFacts& facts() const { return *recording_.flow; }
  const std::vector<std::shared_ptr<const ExchangeFacts>>& exchanges() const { return recording_.exchanges; }
  const std::vector<std::shared_ptr<const ExchangeFacts>>& changes() const { return recording_.changes; }
  const std::vector<std::shared_ptr<const MessageFacts>>& messages() const { return recording_.messages; }
  Flow& flow() { return *flow_; }
  rules::RuleBook& rules() { return rules_; }
  std::string transcript() const;  // both conversations, for a failing test

 private:
  bool move_client_to_flow();
  bool move_flow_to_client();
  bool move_upstream_to_flow();
  bool move_flow_to_upstream();
  bool carry_out_commands();
  void read_client(Bytes bytes);
  void note_issuer();
  void read_origin(Bytes bytes);

  Setup setup_;
  TestWorld& world_ = TestWorld::instance();
  rules::RuleBook rules_;
  Rejections own_rejections_;
  UpstreamProtocols own_protocols_;
  Identifiers identifiers_;
  Recording recording_;
  std::vector<std::byte> scratch_;
  std::optional<Environment> environment_;
  std::unique_ptr<Flow> flow_;
  Time now_{1'000 * kSecond_ns, 0};

  ByteQueue client_out_, origin_out_;  // ciphertext of the two ends
  std::optional<tls::Channel> client_, origin_;
  bool raw_client_ = false;
  std::string client_got_, origin_got_, client_raw_, origin_raw_;
  std::string issuer_seen_by_client_;
  std::vector<std::string> commands_;
  std::vector<CallHandler> handler_calls_;
  std::optional<std::string> refuse_;
  UpstreamId connected_ = 0;
  int connections_ = 0;
  bool client_close_notify_ = false, client_failed_ = false;
  bool client_fin_ = false, client_fin_told_ = false, origin_fin_ = false, origin_fin_told_ = false;
  bool origin_silent_ = false, client_reads_ = true;
};

}  // namespace waylay::flow
