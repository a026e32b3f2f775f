// Any bytes into either end of a TLS connection, at the beginning or after a part of a real handshake or an exchange.
// Input: byte 0 says which end and after how many turns, byte 1 the size of the pieces, the rest is what arrives.
#include <openssl/rand.h>

#include <memory>
#include <optional>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "tls/ca.h"
#include "tls/context.h"
#include "tls/leaf.h"

using namespace waylay;
using tls::Channel;

namespace {

struct World {
  World() {
    tls::CertificateAuthority ca = std::move(*tls::CertificateAuthority::make({.host = "fuzz"}, now()));
    std::string ca_pem = *ca.certificate_pem();
    auto minter = std::move(*tls::LeafMinter::create(ca_pem));
    tls::UnsignedLeaf prepared = std::move(*minter->prepare({"example.org"}, now()));
    std::vector<std::byte> signature = *ca.sign(prepared.tbs());
    leaf = *minter->finish(std::move(prepared), signature);
    client_context.emplace(std::move(*tls::ClientContext::create(*tls::TicketKeys::make(now()))));
    tls::UpstreamOptions options;
    options.use_system_roots = false;
    options.extra_roots_pem = ca_pem;
    upstream_context.emplace(std::move(*tls::UpstreamContext::create(options)));
  }
  std::shared_ptr<const tls::Leaf> leaf;
  std::optional<tls::ClientContext> client_context;
  std::optional<tls::UpstreamContext> upstream_context;
};

struct End {
  ByteQueue output;
  std::optional<Channel> channel;

  void take(Bytes bytes) {
    std::byte scratch[512];
    channel->put(bytes);
    for (size_t turn = 0;; ++turn) {
      CHECK(turn < 100'000);  // next() always comes to an end
      Bytes plaintext;
      Channel::Event event = channel->next(scratch, plaintext);
      CHECK(plaintext.size() <= sizeof scratch);
      if (event == Channel::Event::NeedMore || event == Channel::Event::Failed) return;
    }
  }
};

void pass(End& from, End& to) {
  ByteQueue bytes;
  bytes.swap(from.output);
  to.take(bytes.bytes());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const World world;
  if (size < 2) return 0;
  bool at_server = (data[0] & 1) != 0;
  int turns = data[0] >> 1 & 7;
  size_t piece = data[1] == 0 ? size : data[1];

  End server, upstream;
  server.channel = *world.client_context->accept(*world.leaf, "http/1.1", "scope", &server.output);
  upstream.channel = *world.upstream_context->connect({"example.org", "scope", {"http/1.1"}}, &upstream.output);
  upstream.channel->start();
  for (int turn = 0; turn < turns; ++turn) {
    turn % 2 == 0 ? pass(upstream, server) : pass(server, upstream);
    if (turn == 5) (void)server.channel->write(as_bytes("response"));
  }

  End& end = at_server ? server : upstream;
  for (size_t at = 2; at < size; at += piece) {
    std::vector<std::byte> bytes(as_bytes(data + at, std::min(piece, size - at)).begin(),
                                 as_bytes(data + at, std::min(piece, size - at)).end());
    end.take(bytes);
  }
  bool failed = end.channel->state() == Channel::State::Failed;
  CHECK(failed == !end.channel->error().message.empty());
  (void)end.channel->write(as_bytes("answer"));
  end.channel->shutdown();
  (void)end.channel->rejection();
  (void)end.channel->peer_certificate();
  return 0;
}
