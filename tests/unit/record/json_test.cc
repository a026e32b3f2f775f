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

TEST(Json, NamesOfAnInvocationAreStable) {
  Store store;
  store.exchange_ended(Made(1).at(0).invocation("i", 1).injected("slow", 503));
  store.exchange_ended(Made(2).at(500).invocation("i", 2, 5).sdk("Boto3", "1"));
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
  store.exchange_ended(made);
  for (const std::string& text : {retries_json(store.invocations(), at_ms(10)).dump(), store.metrics()})
    EXPECT_EQ(text.find(kCanary), std::string::npos) << text;
}

TEST(RecordJson, ASecretIsFoundWhereverItStandsInAFieldsName) {
  for (std::string part : {"authorization", "cookie", "token", "SECRET", "password", "passwd", "api-key", "apikey",
                           "api_key", "Customer-Key", "credential", "signature", "private-key", "session-key"}) {
    for (size_t before = 0; before < 8; ++before)
      for (size_t behind = 0; behind < 8; ++behind) {
        std::string name = std::string(before, 'x') + part + std::string(behind, 'x');
        EXPECT_TRUE(flow::is_secret_field(name)) << name;
      }
    part[part.size() / 2] = '!';
    EXPECT_FALSE(flow::is_secret_field(part)) << part;
  }
  for (const char* name :
       {"Authorization", "proxy-AUTHORIZATION", "cookie", "Set-Cookie2", "x-tokens", "x-api_key", "apikey", "ssecret",
        "ttoken", "my-private-key", "xsession-key-id", "passwd", "x-pass-password"})
    EXPECT_TRUE(flow::is_secret_field(name)) << name;
  for (const char* name :
       {"", "a", "accept", "tok-en", "cooki", "coo kie", "x-api", "host", "content-type", "\x01\x0f\x0b"})
    EXPECT_FALSE(flow::is_secret_field(name)) << name;
}

}  // namespace
}  // namespace waylay::record
