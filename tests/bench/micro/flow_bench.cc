// A whole intercepted connection in memory. The figures include the two ends' TLS, since nothing can talk to a flow
// without them: compare with the same benchmark, and with tls_bench for what OpenSSL takes of it.
#include <benchmark/benchmark.h>

#include "bench/micro/support_conversation.h"
#include "bench/micro/support_relay.h"

namespace waylay::bench {
namespace {

void small_exchange(benchmark::State& state) {
  Daemon daemon(state.range(0) == 0 ? "" : rules_of(static_cast<size_t>(state.range(0)), 1));
  Conversation conversation(daemon, "client");
  std::string request = small_request(), response = small_response();
  for (auto _ : state) conversation.exchange(request, response);
}
BENCHMARK(small_exchange)->ArgName("rules")->Arg(0)->Arg(10)->Arg(1000);

// The same number of streams at a time as the harness's.
void h2_small_exchange(benchmark::State& state) {
  constexpr size_t kStreams = 8;
  Daemon daemon;
  H2Conversation conversation(daemon, "client");
  for (auto _ : state) conversation.exchanges(kStreams);
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kStreams));
}
BENCHMARK(h2_small_exchange);

// Without TLS; of HTTP/2 with both ends' nghttp2.
void h1_relay(benchmark::State& state) {
  Daemon daemon;
  Relayed relayed(daemon, Relayed::Protocol::Http1);
  std::string request = plain_request(), response = plain_response();
  for (auto _ : state) relayed.exchange(request, response);
}
BENCHMARK(h1_relay);

void h2_relay(benchmark::State& state) {
  constexpr size_t kStreams = 8;
  Daemon daemon;
  Relayed relayed(daemon, Relayed::Protocol::Http2);
  H2Ends ends;
  for (auto _ : state) relayed.exchanges(ends, kStreams);
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kStreams));
}
BENCHMARK(h2_relay);

void new_connection(benchmark::State& state) {
  Daemon daemon;
  std::string request = small_request(), response = small_response();
  int64_t made = 0;
  for (auto _ : state) {
    // A session of its own each time makes the client's handshake a full one; the upstream's is resumed, as always.
    Conversation conversation(daemon, state.range(0) == 0 ? "client" + std::to_string(made++) : "client");
    conversation.exchange(request, response);
    conversation.close();
  }
}
BENCHMARK(new_connection)->ArgName("client_resumes")->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

constexpr size_t kBulk = 16 * 1024 * 1024;

void download(benchmark::State& state) {
  Daemon daemon;
  Conversation conversation(daemon, "client");
  std::string request = small_request(), response = response_of(kBulk);
  for (auto _ : state) conversation.exchange(request, response);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(response.size()));
}
BENCHMARK(download)->Unit(benchmark::kMillisecond);

void upload(benchmark::State& state) {
  Daemon daemon;
  Conversation conversation(daemon, "client");
  std::string request = request_of(kBulk), response = small_response();
  for (auto _ : state) conversation.exchange(request, response);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(request.size()));
}
BENCHMARK(upload)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace waylay::bench
