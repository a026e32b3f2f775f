// What TLS costs here and what it costs at the least: leaves, handshakes in memory and records in memory.
#include <benchmark/benchmark.h>

#include "base/check.h"
#include "bench/micro/support_conversation.h"

namespace waylay::bench {
namespace {

void mint_leaf(benchmark::State& state) {
  flow::TestWorld& world = flow::TestWorld::instance();
  Time when = now();
  for (auto _ : state)
    benchmark::DoNotOptimize(world.leaf(world.waylay_ca, *world.waylay_minter, "origin.test", nullptr, when));
}
BENCHMARK(mint_leaf)->Unit(benchmark::kMicrosecond);

// A client and a server with nothing between them.
struct Pair {
  flow::TestWorld& world = flow::TestWorld::instance();
  std::vector<std::byte> scratch{17 * 1024};
  ByteQueue to_server, to_client;
  std::optional<tls::Channel> client, server;

  void connect(const std::shared_ptr<const tls::Leaf>& leaf, const std::string& session) {
    Result<tls::Channel> made = world.upstream_context.connect({"origin.test", session, {"http/1.1"}}, &to_server);
    Result<tls::Channel> accepted = world.origin_context.accept(*leaf, "http/1.1", "bench", &to_client);
    CHECK(made && accepted);
    client.emplace(std::move(*made));
    server.emplace(std::move(*accepted));
    client->start();
    while (!to_server.empty() || !to_client.empty()) {
      read(*server, to_server);
      read(*client, to_client);
    }
    CHECK(client->state() == tls::Channel::State::Open && server->state() == tls::Channel::State::Open);
  }

  size_t read(tls::Channel& channel, ByteQueue& from) {
    ByteQueue bytes;
    bytes.swap(from);
    channel.put(bytes.bytes());
    size_t received = 0;
    for (Bytes plaintext;;) {
      tls::Channel::Event event = channel.next(scratch, plaintext);
      CHECK(event != tls::Channel::Event::Failed);
      if (event == tls::Channel::Event::NeedMore) return received;
      received += plaintext.size();
    }
  }
};

void handshake_of_both_ends(benchmark::State& state) {
  Pair pair;
  auto leaf = pair.world.leaf(pair.world.origin_ca, *pair.world.origin_minter, "origin.test", nullptr, now());
  int64_t made = 0;
  for (auto _ : state) pair.connect(leaf, state.range(0) == 0 ? std::to_string(made++) : "resumed");
}
BENCHMARK(handshake_of_both_ends)->ArgName("resumed")->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

// Sealed by one end, opened by the other: what every byte costs an interceptor once, in the other order.
void records_in_memory(benchmark::State& state) {
  Pair pair;
  auto leaf = pair.world.leaf(pair.world.origin_ca, *pair.world.origin_minter, "origin.test", nullptr, now());
  pair.connect(leaf, "records");
  std::string text(static_cast<size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    CHECK(pair.client->write(as_bytes(text)));
    CHECK(pair.read(*pair.server, pair.to_server) == text.size());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(records_in_memory)->ArgName("bytes")->Arg(1300)->Arg(16 * 1024)->Arg(64 * 1024);

}  // namespace
}  // namespace waylay::bench
