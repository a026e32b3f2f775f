// docs/openapi.json says what the API does: the two are held together here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "base/bytes.h"
#include "control/api.h"
#include "control/render.h"
#include "fake_backend.h"

namespace waylay::control {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class OpenApi : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ifstream file(WAYLAY_SOURCE_DIR "/docs/openapi.json");
    document = nlohmann::json::parse(file, nullptr, false);
    ASSERT_TRUE(document.is_object());
  }

  const nlohmann::json& operation(const Route& route) const {
    return document["paths"][std::string(route.path)][to_lower(route.method)];
  }

  // Every name that the schema requires is there, and every member that is there is described.
  void expect_described(const std::string& schema, const Json& value) const {
    const auto& described = document["components"]["schemas"][schema];
    for (const auto& name : described["required"])
      EXPECT_TRUE(value.contains(name.get<std::string>())) << schema << " " << name;
    for (const auto& [name, member] : value.items()) {
      ASSERT_TRUE(described["properties"].contains(name)) << schema << " has " << name;
      EXPECT_TRUE(has_type(described["properties"][name], member)) << schema << "." << name << ": " << member.dump();
    }
  }

  static bool has_type(const nlohmann::json& described, const Json& value) {
    if (!described.contains("type")) return true;  // $ref
    auto types = described["type"].is_array() ? described["type"] : nlohmann::json::array({described["type"]});
    for (const std::string type : types) {
      if (type == "null" && value.is_null()) return true;
      if (type == "string" && value.is_string()) return true;
      if (type == "boolean" && value.is_boolean()) return true;
      if (type == "integer" && value.is_number_integer()) return true;
      if (type == "number" && value.is_number()) return true;
      if (type == "array" && value.is_array()) return true;
      if (type == "object" && value.is_object()) return true;
    }
    return false;
  }

  nlohmann::json document;
  FakeBackend backend;
  Feed feed;
  Context context{backend, feed};
};

TEST_F(OpenApi, DescribesEveryRouteAndNoOther) {
  std::set<std::pair<std::string, std::string>> described, present;
  for (const auto& [path, methods] : document["paths"].items())
    for (const auto& [method, operation] : methods.items()) described.insert({path, method});
  for (const Route& route : routes()) present.insert({std::string(route.path), to_lower(route.method)});
  EXPECT_EQ(described, present);
}

TEST_F(OpenApi, GivesTheSummariesOfTheTable) {
  for (const Route& route : routes()) EXPECT_EQ(operation(route).value("summary", ""), route.summary) << route.path;
}

TEST_F(OpenApi, NamesTheParametersThatAreTaken) {
  for (const Route& route : routes()) {
    if (route.path == "/metrics") continue;  // takes whatever a scraper adds
    Request request;
    request.path = {"v1", "x"};
    request.query["surely-unknown"] = "";
    std::string refusal = route.handle(context, request).body;
    ASSERT_THAT(refusal, HasSubstr("surely-unknown"));
    std::string known = "; this resource takes none";
    for (const auto& parameter : operation(route).value("parameters", nlohmann::json::array())) {
      if (parameter["in"] != "query") continue;
      std::string name = parameter["name"];
      known = known.starts_with("; known") ? known + ", " + name : "; known: " + name;
    }
    EXPECT_THAT(refusal, HasSubstr(known)) << route.method << " " << route.path;
  }
}

TEST_F(OpenApi, DescribesWhatIsAnswered) {
  backend.add_exchange(1, "a.example", 200);
  expect_described("Exchange", to_json(*backend.kept_exchanges[0]));
  expect_described("Flow", to_json(*backend.kept_flows[0]));
  flow::MessageFacts message;
  message.exchange = backend.kept_exchanges[0];
  message.opcode = http::WebSocketOpcode::Binary;
  message.time = message.exchange->started;
  expect_described("Message", to_json(message));
  flow::Conversation conversation;
  conversation.keeps_messages = true;
  conversation.messages = {std::make_shared<flow::MessageFacts>(message)};
  flow::ExchangeFacts upgraded = *backend.kept_exchanges[0];
  upgraded.conversation = std::make_shared<flow::Conversation>(conversation);
  Json shown = to_json(upgraded)["conversation"];
  expect_described("Conversation", shown);
  expect_described("Spoken", shown["from_client"]);
  message.exchange.reset();
  Json status = nlohmann::ordered_json::parse(to_text(to_json(backend.status())));
  expect_described("Status", status);
  expect_described("Target", status["targets"][0]);
  expect_described("Field", fields_to_json()[0]);
  expect_described("Error", to_json(Error::local(ErrorKind::Invalid, "line 1, column 2: no")));
}

TEST_F(OpenApi, DescribesEveryKindOfErrorAndOfEnd) {
  auto enumerated = [](const nlohmann::json& schema) {
    return std::set<std::string>(schema["enum"].begin(), schema["enum"].end());
  };
  const auto& schemas = document["components"]["schemas"];
  std::set<std::string> ends = enumerated(schemas["Exchange"]["properties"]["end"]);
  for (int i = 0; i <= static_cast<int>(flow::ExchangeEnd::Upgraded); ++i)
    EXPECT_TRUE(ends.contains(std::string(to_string(static_cast<flow::ExchangeEnd>(i)))));
  std::set<std::string> outcomes = enumerated(schemas["Flow"]["properties"]["outcome"]);
  for (int i = 0; i <= static_cast<int>(flow::Outcome::Failed); ++i)
    EXPECT_TRUE(outcomes.contains(std::string(to_string(static_cast<flow::Outcome>(i)))));
  std::set<std::string> kinds = enumerated(schemas["Error"]["properties"]["error"]["properties"]["kind"]);
  for (int i = 0; i <= static_cast<int>(ErrorKind::Timeout); ++i)
    EXPECT_TRUE(kinds.contains(std::string(to_string(static_cast<ErrorKind>(i)))));
}

}  // namespace
}  // namespace waylay::control
