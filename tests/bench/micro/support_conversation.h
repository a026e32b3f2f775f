// One client, one intercepted connection and one origin in memory, with real TLS at all three: what a benchmark runs
// exchanges through. It moves bytes as proxy::Connection does and checks what arrives by its length only, so that
// nearly all the work is the flow's and the two ends' TLS.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bench/micro/support_h2.h"
#include "flow/flow.h"
#include "flow/support_playbook.h"
#include "record/store.h"

namespace waylay::bench {

// What all conversations of a benchmark go through: the daemon's parts of one worker.
class Daemon {
 public:
  explicit Daemon(const std::string& rules = "");
  flow::Environment& environment() { return environment_; }
  flow::TestWorld& world() { return world_; }
  record::Store& store() { return store_; }
  const std::shared_ptr<const tls::Leaf>& origin_leaf() const { return origin_leaf_; }
  const std::shared_ptr<const tls::Leaf>& client_leaf(X509* mirror);  // minted once, as from a warm cache
  std::shared_ptr<const tls::Leaf> new_client_leaf(X509* mirror);

 private:
  flow::TestWorld& world_ = flow::TestWorld::instance();
  rules::RuleBook rules_;
  flow::Rejections rejections_;
  flow::UpstreamProtocols protocols_;
  flow::Identifiers identifiers_;
  record::Store store_;
  std::vector<std::byte> scratch_;
  std::shared_ptr<const tls::Leaf> origin_leaf_, client_leaf_;
  flow::Environment environment_;
};

class Conversation {
 public:
  // `protocol` as in ALPN, at both ends. With a new target neither the leaf nor a session of the upstream is there yet.
  Conversation(Daemon& daemon, std::string client_session, std::string protocol = "http/1.1", uint32_t new_target = 0);
  virtual ~Conversation();

  // The client sends `request`; once the origin has as many bytes it sends `response`; returns when the client has as
  // many.
  void exchange(std::string_view request, std::string_view response);
  void close();

 protected:
  void turn();
  tls::Channel& client() { return *client_; }
  tls::Channel& origin() { return *origin_; }
  virtual void client_got(Bytes plaintext) { client_received_ += plaintext.size(); }
  virtual void origin_got(Bytes plaintext) { origin_received_ += plaintext.size(); }

 private:
  void open();
  void carry_out_commands();
  void read(tls::Channel& channel, ByteQueue& from);
  void transfer(tls::Channel& from, std::string_view text, const size_t& received);

  Daemon& daemon_;
  std::string protocol_;
  bool is_new_;
  std::vector<std::byte> scratch_;
  Time now_;
  flow::Flow flow_;
  ByteQueue from_client_, from_origin_;
  std::optional<tls::Channel> client_, origin_;
  flow::UpstreamId upstream_ = 0;
  size_t client_received_ = 0, origin_received_ = 0;
};

// The same in HTTP/2: several streams at a time.
class H2Conversation final : public Conversation {
 public:
  H2Conversation(Daemon& daemon, std::string client_session);
  // Complete exchanges of plain_request() and plain_response() in HTTP/2's form, all begun at once.
  void exchanges(size_t count);

 private:
  void client_got(Bytes plaintext) override { ends_.client_receives(plaintext); }
  void origin_got(Bytes plaintext) override { ends_.origin_receives(plaintext); }

  H2Ends ends_;
};

// What a small API call looks like: heads as an SDK and a service write them, a body of 1 KiB. `number` makes another
// call of it, with an invocation id of its own.
std::string small_request(int number = 0);
std::string small_response();
std::string response_of(size_t body_size);
std::string request_of(size_t body_size);
// What a load generator sends and nginx answers.
std::string plain_request();
std::string plain_response();
// `applying` of these rules match small_request() and rewrite the response's status, the others are for other hosts.
std::string rules_of(size_t count, size_t applying);

}  // namespace waylay::bench
