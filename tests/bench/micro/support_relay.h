// A relay between plaintext and plaintext: what an exchange costs without TLS. callgrind counts within take_from_...
// only (instructions.py), so what the two ends do is left out there.
#pragma once

#include <memory>
#include <string_view>

#include "bench/micro/support_conversation.h"
#include "bench/micro/support_h2.h"

namespace waylay::bench {

class Relayed final : private flow::Relay::Link {
 public:
  enum class Protocol { Http1, Http2 };
  Relayed(Daemon& daemon, Protocol protocol);
  ~Relayed() override;

  void exchange(std::string_view request, std::string_view response);  // HTTP/1
  void exchanges(H2Ends& ends, size_t count);                          // HTTP/2, all begun at once

 private:
  [[gnu::noinline]] void take_from_client(Bytes bytes);
  [[gnu::noinline]] void take_from_upstream(Bytes bytes);

  // flow::Relay::Link
  bool client_is_behind() const override { return false; }
  bool upstream_is_behind() const override { return false; }
  void to_client(Bytes plaintext) override { to_client_.append(plaintext); }
  void to_upstream(Bytes plaintext) override { to_upstream_.append(plaintext); }
  void need_upstream(const rules::Redirect*) override {}
  void close_client(bool) override {}
  void reset_client() override {}
  void shutdown_upstream() override {}
  void close_upstream(bool) override {}
  void call_handler(uint64_t, std::shared_ptr<const rules::Handler>, std::string) override {}
  void cancel_handler(uint64_t) override {}

  Time now_;
  ByteQueue to_client_, to_upstream_;
  std::unique_ptr<flow::Relay> relay_;
};

}  // namespace waylay::bench
