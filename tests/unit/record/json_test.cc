#include "record/json.h"

#include <nlohmann/json.hpp>

#include "flow/redact.h"
#include "record/store.h"
#include "unit/record/support.h"

namespace waylay::record {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [key, value] : object.items()) names.push_back(key);
  return names;
}

TEST(Json, NamesOfAFlowAreStable) {
  Json flow = to_json(some_flow(9));
  EXPECT_EQ(keys(flow), (std::vector<std::string>{"id", "target", "outcome", "reason", "opened", "closed",
                                                  "duration_ms", "client", "destination", "server_name", "ja4",
                                                  "process", "cgroup", "container", "client_tls", "upstream_tls",
                                                  "bytes_from_client", "bytes_from_upstream", "exchanges"}));
  EXPECT_EQ(flow["id"], 9);
  EXPECT_EQ(flow["opened"], "2026-11-22T12:00:00.000Z");
  EXPECT_TRUE(flow["closed"].is_null());
  EXPECT_EQ(flow["client"], "10.0.0.2:50000");
  EXPECT_EQ(flow["container"]["name"], "web");
  EXPECT_TRUE(flow["client_tls"].is_null());
  flow::FlowFacts closed = some_flow();
  closed.closed = at_ms(1'234);
  closed.owner.container_id.clear();
  closed.owner.container_name.clear();
  closed.client_tls = {"TLSv1.3", "TLS_AES_128_GCM_SHA256", "http/1.1", true};
  flow = to_json(closed);
  EXPECT_EQ(flow["duration_ms"], 1234.0);
  EXPECT_TRUE(flow["container"].is_null());
  EXPECT_EQ(flow["client_tls"]["resumed"], true);
}

TEST(Json, NamesOfAnExchangeAreStable) {
  Made made(3);
  made.at(5, 12).invocation("i", 2, 5).sdk("Boto3", "1.26.27", "legacy").injected("slow", 503);
  made.facts().request->add("X-Debug", "1");
  Json exchange = to_json(made);
  EXPECT_EQ(keys(exchange),
            (std::vector<std::string>{"id", "flow", "time", "duration_ms", "target", "process", "container", "method",
                                      "host", "path", "status", "upstream_status", "end", "error", "injected", "rules",
                                      "request_bytes", "response_bytes", "aws"}));
  EXPECT_EQ(exchange["duration_ms"], 12.0);
  EXPECT_EQ(exchange["method"], "GET");
  EXPECT_EQ(exchange["end"], "complete");
  EXPECT_EQ(exchange["rules"].dump(), R"([{"rule":"slow","what":"fault aws:slowdown","injected":true}])");
  EXPECT_EQ(exchange["aws"]["attempt"], 2);
  EXPECT_EQ(exchange["aws"]["retry_mode"], "legacy");
  Json full = to_json_full(made);
  EXPECT_EQ(full["request"]["line"], "GET /bucket/key HTTP/1.1");
  EXPECT_EQ(full["request"]["headers"].dump(), R"([["X-Debug","1"]])");
  EXPECT_EQ(full["timing"]["ended_ms"], 12.0);
  EXPECT_TRUE(full["timing"]["response_started_ms"].is_null());
  EXPECT_EQ(full["connection"]["id"], 1);
  EXPECT_TRUE(to_json(Made(1).not_aws("GET", "/"))["aws"].is_null());
}

TEST(Json, NamesOfAnInvocationAreStable) {
  Store store;
  store.exchange_ended(Made(1).at(0).invocation("i", 1).injected("slow", 503).shared());
  store.exchange_ended(Made(2).at(500).invocation("i", 2, 5).sdk("Boto3", "1").shared());
  Json retries = retries_json(store.invocations(), at_ms(600));
  EXPECT_EQ(keys(retries), (std::vector<std::string>{"summary", "findings", "invocations"}));
  const Json& call = retries["invocations"][0];
  EXPECT_EQ(keys(call), (std::vector<std::string>{"id",
                                                  "invocation_id",
                                                  "inferred",
                                                  "service",
                                                  "operation",
                                                  "region",
                                                  "bucket",
                                                  "host",
                                                  "method",
                                                  "path",
                                                  "target",
                                                  "container",
                                                  "process",
                                                  "sdk",
                                                  "sdk_version",
                                                  "retry_mode",
                                                  "retry_mode_from",
                                                  "max_attempts",
                                                  "outcome",
                                                  "time",
                                                  "retries",
                                                  "lost_ms",
                                                  "waiting_ms",
                                                  "injected_failures",
                                                  "organic_failures",
                                                  "attempts"}));
  EXPECT_EQ(call["outcome"], "succeeded");
  EXPECT_EQ(call["lost_ms"], 500.0);
  EXPECT_EQ(call["waiting_ms"], 490.0);
  EXPECT_EQ(call["injected_failures"], 1);
  EXPECT_EQ(keys(call["attempts"][0]),
            (std::vector<std::string>{"exchange", "number", "status", "end", "result", "injected", "rules", "what",
                                      "error", "time", "gap_ms", "duration_ms"}));
  EXPECT_EQ(
      keys(retries["summary"][0]),
      (std::vector<std::string>{"service", "operation", "host", "inferred", "calls", "attempts", "retried", "retries",
                                "lost", "open", "injected_failures", "organic_failures", "lost_ms", "waiting_ms"}));
  EXPECT_EQ(retries["summary"][0]["lost_ms"]["max"], 500.0);
  EXPECT_EQ(retries["findings"].size(), 1u);
}

TEST(Json, ShowsBytesThatAreNotUtf8AsReplacements) {
  EXPECT_EQ(valid_utf8("plain"), "plain");
  EXPECT_EQ(valid_utf8("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"),
            "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(valid_utf8("a\xff"), "a\xef\xbf\xbd");
  EXPECT_EQ(valid_utf8("\xc3"), "\xef\xbf\xbd");
  EXPECT_EQ(valid_utf8("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd") << "overlong";
  EXPECT_EQ(valid_utf8("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") << "a surrogate";
  EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80").size(), 12u) << "beyond U+10FFFF";
  EXPECT_EQ(valid_utf8("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd");
}

// Whatever byte a client sends anywhere, dumping throws nothing and what comes out is UTF-8.
TEST(Json, CanBeDumpedWhateverTheClientSent) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  flow::FlowFacts flow = some_flow();
  for (std::string* text :
       {&flow.target_name, &flow.reason, &flow.server_name, &flow.ja4, &flow.owner.comm, &flow.owner.exe,
        &flow.owner.cgroup, &flow.owner.container_id, &flow.owner.container_name, &flow.owner.container_image})
    *text = every;
  Made made(1);
  flow::ExchangeFacts& facts = made.facts();
  facts.flow = std::make_shared<flow::FlowFacts>(flow);
  facts.applied.push_back({"r", every, true});
  for (std::string* text : {&facts.host, &facts.target, &facts.error, &facts.call.service, &facts.call.operation,
                            &facts.call.region, &facts.call.bucket, &facts.call.key, &facts.call.table,
                            &facts.call.invocation_id, &facts.call.sdk, &facts.call.sdk_version})
    *text = every;
  facts.request = http::Head::request("GET", "/\xff");
  facts.status = 503;
  Store store;
  store.exchange_ended(made.shared());
  for (const std::string& text : {to_json(flow).dump(), to_json(made).dump(), to_json_full(made).dump(),
                                  retries_json(store.invocations(), at_ms(100'000)).dump()})
    EXPECT_EQ(valid_utf8(text), text);
}

TEST(Json, HoldsNoSecretOfARedactedExchange) {
  constexpr std::string_view kCanary = "CANARY-4711";
  Made made(1);
  flow::ExchangeFacts& facts = made.facts();
  std::string canary(kCanary);
  http::Head request =
      http::Head::request("GET", "/bucket/key?X-Amz-Signature=" + canary + "&X-Amz-Credential=" + canary +
                                     "&X-Amz-Security-Token=" + canary + "&list-type=2");
  for (const char* name : {"Authorization", "Cookie", "X-Amz-Security-Token", "Proxy-Authorization",
                           "x-amz-server-side-encryption-customer-key"})
    request.add(name, canary);
  http::Head response = http::Head::response(200, "OK");
  response.add("Set-Cookie", canary);
  response.add("Location", "https://example.org/?X-Amz-Signature=" + canary);
  flow::redact(request);
  flow::redact(response);
  facts.target = std::string(request.target());
  facts.request = std::move(request);
  facts.response = std::move(response);
  facts.call.invocation_id = "i";
  Store store;
  store.exchange_ended(made.shared());
  for (const std::string& text : {to_json(made).dump(), to_json_full(made).dump(),
                                  retries_json(store.invocations(), at_ms(10)).dump(), store.metrics()})
    EXPECT_EQ(text.find(kCanary), std::string::npos) << text;
  EXPECT_NE(to_json_full(made).dump().find("Authorization"), std::string::npos) << "names stay visible";
}

}  // namespace
}  // namespace waylay::record
