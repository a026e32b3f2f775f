// The pure parts by themselves: ClientHello, expressions, rule sets, heads.
#include <benchmark/benchmark.h>

#include "base/check.h"
#include "bench/micro/support_conversation.h"
#include "flow/subject.h"
#include "http/h1.h"
#include "match/expression.h"
#include "tls/client_hello.h"

namespace waylay::bench {
namespace {

http::Head head_of(http::Kind kind, const std::string& message) {
  std::string raw = message.substr(0, message.find("\r\n\r\n") + 4);
  Result<http::Head> head = http::Head::parse(kind, std::move(raw), Side::Local);
  CHECK(head);
  return std::move(*head);
}

// An exchange whose response has just come, as the rules are asked about it.
struct Asked {
  http::Head request = head_of(http::Kind::Request, small_request());
  http::Head response = head_of(http::Kind::Response, small_response());
  flow::FlowFacts flow;
  flow::ExchangeFacts exchange;
  Asked() {
    flow.server_name = "origin.test";
    flow.owner.container_name = "job";
    exchange.host = http::request_host(request);
    exchange.call = aws::classify(request, exchange.host);
    exchange.upstream_status = 200;
  }
  flow::Subject subject() const { return {flow, exchange, &request, &response}; }
};

void client_hello(benchmark::State& state) {
  ByteQueue hello;
  flow::TestWorld& world = flow::TestWorld::instance();
  Result<tls::Channel> client =
      world.trusting_client_context.connect({"origin.test", "hello", {"h2", "http/1.1"}}, &hello);
  CHECK(client);
  client->start();
  for (auto _ : state) benchmark::DoNotOptimize(tls::parse_client_hello(hello.bytes()));
}
BENCHMARK(client_hello);

void expression(benchmark::State& state, const char* text) {
  Result<match::Expression> compiled = match::Expression::compile(text);
  CHECK(compiled);
  Asked asked;
  flow::Subject subject = asked.subject();
  for (auto _ : state) benchmark::DoNotOptimize(compiled->matches(subject));
}
BENCHMARK_CAPTURE(expression, equality, "http.host == \"origin.test\" and http.request.method == \"GET\"");
BENCHMARK_CAPTURE(expression, pattern, "container.name matches \"^job\" and http.response.code >= 200");
BENCHMARK_CAPTURE(expression, header, "http.header[\"amz-sdk-request\"] contains \"attempt=1\"");
BENCHMARK_CAPTURE(expression, set, "http.request.method in {\"PUT\", \"POST\", \"GET\"} and tcp.dstport in {1..9999}");

void head(benchmark::State& state) {
  std::string message = small_request();
  for (auto _ : state) {
    http::H1Reader reader(http::Kind::Request, Side::Client);
    reader.put(as_bytes(message));
    CHECK(reader.next() == http::H1Reader::Event::Head);
    benchmark::DoNotOptimize(reader.head());
  }
}
BENCHMARK(head);

void aws_classify(benchmark::State& state) {
  http::Head request = head_of(http::Kind::Request, small_request());
  for (auto _ : state) benchmark::DoNotOptimize(aws::classify(request, "reports.s3.eu-west-1.amazonaws.com"));
}
BENCHMARK(aws_classify);

// Both moments of an exchange that one of the rules applies to.
void rule_set(benchmark::State& state) {
  rules::RuleBook book;
  CHECK(book.add(rules_of(static_cast<size_t>(state.range(0)), 1), "benchmark", now()));
  std::shared_ptr<const rules::RuleSet> set = book.current();
  Asked asked;
  flow::Subject subject = asked.subject();
  for (auto _ : state) {
    for (match::Moment moment : {match::Moment::Request, match::Moment::Response})
      benchmark::DoNotOptimize(set->plan(subject, moment, asked.exchange.call, asked.request, Time{}));
  }
}
BENCHMARK(rule_set)->ArgName("rules")->Arg(1)->Arg(10)->Arg(1000);

}  // namespace
}  // namespace waylay::bench
