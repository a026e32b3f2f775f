// The store: an exchange more, and a question about all that are there.
#include <benchmark/benchmark.h>

#include "base/check.h"
#include "bench/micro/support_conversation.h"

namespace waylay::bench {
namespace {

flow::ExchangeFacts exchange(uint64_t id, const std::shared_ptr<flow::FlowFacts>& flow, const http::Head& request,
                             const http::Head& response) {
  flow::ExchangeFacts made;
  made.id = id;
  made.flow = flow;
  made.host = "reports.s3.eu-west-1.amazonaws.com";
  made.target = "/2026/11/22/part-" + std::to_string(id) + ".json";
  made.request = request;
  made.response = response;
  made.call = aws::classify(request, made.host);
  made.call.invocation_id = "5f0f5c1e-2f3b-4a80-9d3a-" + std::to_string(id);
  made.status = made.upstream_status = id % 100 == 0 ? 503 : 200;
  made.response->set_status(made.status);
  made.end = flow::ExchangeEnd::Complete;
  return made;
}

struct Exchanges {
  std::shared_ptr<flow::FlowFacts> flow = std::make_shared<flow::FlowFacts>();
  http::Head request, response;
  Exchanges() {
    Result<http::Head> asked = http::Head::parse(http::Kind::Request, small_request(), Side::Local);
    std::string answer = small_response();
    Result<http::Head> answered =
        http::Head::parse(http::Kind::Response, answer.substr(0, answer.find("\r\n\r\n") + 4), Side::Local);
    CHECK(asked && answered);
    request = std::move(*asked);
    response = std::move(*answered);
  }
  flow::ExchangeFacts make(uint64_t id) const { return exchange(id, flow, request, response); }
};

// Full, so that each one that comes drops one.
void store_append(benchmark::State& state) {
  constexpr size_t kBatch = 1000;
  Exchanges exchanges;
  record::Store store;
  uint64_t id = 1;
  for (; id <= record::Limits().exchanges; ++id) store.exchange_ended(exchanges.make(id));
  std::vector<flow::ExchangeFacts> batch;
  for (auto _ : state) {
    state.PauseTiming();
    batch.clear();
    for (size_t i = 0; i < kBatch; ++i) batch.push_back(exchanges.make(id++));
    state.ResumeTiming();
    for (const auto& one : batch) store.exchange_ended(one);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatch));
}
BENCHMARK(store_append)->Unit(benchmark::kMicrosecond);

// The target: 100,000 stored exchanges filtered by an expression within 100 ms of CPU.
void store_filter(benchmark::State& state) {
  constexpr size_t kHeld = 100'000;
  Exchanges exchanges;
  record::Store store({.exchanges = kHeld, .exchange_bytes = SIZE_MAX});
  for (uint64_t id = 1; id <= kHeld; ++id) store.exchange_ended(exchanges.make(id));
  Result<match::Expression> wanted = match::Expression::compile(
      "aws.service == \"s3\" and http.response.code >= 500 and http.request.uri contains \"part\"");
  CHECK(wanted);
  for (auto _ : state) {
    auto found = store.exchanges(*wanted, kHeld);
    CHECK(found.size() == kHeld / 100);
    benchmark::DoNotOptimize(found);
  }
}
BENCHMARK(store_filter)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace waylay::bench
