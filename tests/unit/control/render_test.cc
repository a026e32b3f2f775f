#include "control/render.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace waylay::control {
namespace {

std::string every_byte() {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  return every;
}

// Whatever byte a client sends anywhere, dumping throws nothing, and what comes out can be read again.
TEST(Render, CanBeDumpedWhateverTheClientSent) {
  std::string every = every_byte();
  auto flow = std::make_shared<flow::FlowFacts>();
  for (std::string* text :
       {&flow->target_name, &flow->reason, &flow->server_name, &flow->ja4, &flow->owner.comm, &flow->owner.exe,
        &flow->owner.cgroup, &flow->owner.container_id, &flow->owner.container_name, &flow->owner.container_image})
    *text = every;
  flow->owner.pid = 1;
  flow::ExchangeFacts exchange;
  exchange.flow = flow;
  exchange.applied.push_back({"r", every, true});
  aws::Call& call = exchange.call;
  for (std::string* text : {&exchange.host, &exchange.target, &exchange.error, &call.service, &call.operation,
                            &call.region, &call.bucket, &call.key, &call.table, &call.invocation_id, &call.sdk})
    *text = every;
  exchange.request = http::Head::request("GET", "/\xff");
  for (const std::string& text : {to_text(to_json(*flow)), to_text(to_json(exchange))}) {
    Json again = Json::parse(text, nullptr, false);
    EXPECT_FALSE(again.is_discarded()) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << "a line of a stream";
  }
}

}  // namespace
}  // namespace waylay::control
