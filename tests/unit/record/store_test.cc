#include "record/store.h"

#include <thread>

#include "unit/record/support.h"

namespace waylay::record {
namespace {

match::Expression matching(std::string_view text) {
  Result<match::Expression> expression = match::Expression::compile(text);
  EXPECT_TRUE(expression) << expression.error().message;
  return std::move(*expression);
}

template <class Pointers>
std::vector<uint64_t> ids(const Pointers& records) {
  std::vector<uint64_t> ids;
  for (const auto& record : records) ids.push_back(record->id);
  return ids;
}

std::shared_ptr<const flow::FlowFacts> flow_facts(uint64_t id, bool closed = false) {
  auto facts = std::make_shared<flow::FlowFacts>(some_flow(id));
  if (closed) facts->closed = at_ms(100);
  return facts;
}

TEST(Store, FindsExchangesByIdAndByExpression) {
  Store store;
  for (uint64_t id = 1; id <= 6; ++id) store.exchange_ended(Made(id).answered(id % 2 == 0 ? 503 : 200));
  EXPECT_EQ(store.exchange(4)->status, 503);
  EXPECT_EQ(store.exchange(7), nullptr);
  EXPECT_EQ(ids(store.exchanges({}, 100)), (std::vector<uint64_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(ids(store.exchanges(matching("http.response.code == 503"), 2)), (std::vector<uint64_t>{4, 6}))
      << "the newest two";
  EXPECT_EQ(ids(store.exchanges(matching("aws.operation == \"GetObject\" && container.name == \"web\""), 1)),
            std::vector<uint64_t>{6});
  EXPECT_TRUE(store.exchanges({}, 0).empty());
}

TEST(Store, DropsTheOldestExchangesByNumberAndCountsThem) {
  Store store({.exchanges = 3});
  for (uint64_t id = 1; id <= 10; ++id) store.exchange_ended(Made(id));
  EXPECT_EQ(ids(store.exchanges({}, 100)), (std::vector<uint64_t>{8, 9, 10}));
  EXPECT_EQ(store.exchange(7), nullptr);
  Store::Totals totals = store.totals();
  EXPECT_EQ(totals.exchanges, 10u);
  EXPECT_EQ(totals.exchanges_dropped, 7u);
  EXPECT_EQ(totals.exchanges_held, 3u);
}

TEST(Store, DropsTheOldestExchangesByBytes) {
  Store store({.exchange_bytes = 100'000});
  for (uint64_t id = 1; id <= 20; ++id) {
    Made made(id);
    made.facts().target = std::string(20'000, 'x');
    store.exchange_ended(made);
  }
  Store::Totals totals = store.totals();
  EXPECT_EQ(totals.exchanges_held, 4u);
  EXPECT_LE(totals.exchange_bytes_held, 100'000u);
  EXPECT_EQ(totals.exchanges_dropped, 16u);
  Made huge(21);
  huge.facts().target = std::string(200'000, 'x');
  store.exchange_ended(huge);
  EXPECT_EQ(store.totals().exchanges_held, 0u);
  EXPECT_EQ(store.totals().exchange_bytes_held, 0u);
}

TEST(Store, KeepsTheNewestFactsOfAFlow) {
  Store store;
  store.flow_changed(flow_facts(1));
  auto closed = std::make_shared<flow::FlowFacts>(some_flow(1));
  closed->closed = at_ms(50);
  closed->outcome = flow::Outcome::Failed;
  store.flow_changed(closed);
  EXPECT_EQ(store.flow(1)->outcome, flow::Outcome::Failed);
  EXPECT_EQ(store.flow(2), nullptr);
  EXPECT_EQ(store.totals().flows, 1u);
  EXPECT_EQ(ids(store.flows(matching("flow.outcome == \"failed\""), 10)), std::vector<uint64_t>{1});
}

TEST(Store, DropsClosedFlowsBeforeOpenOnes) {
  Store store({.flows = 3});
  store.flow_changed(flow_facts(1));
  store.flow_changed(flow_facts(2, true));
  store.flow_changed(flow_facts(3));
  store.flow_changed(flow_facts(4, true));
  EXPECT_EQ(ids(store.flows({}, 10)), (std::vector<uint64_t>{1, 3, 4}));
  store.flow_changed(flow_facts(5));
  store.flow_changed(flow_facts(6));
  EXPECT_EQ(ids(store.flows({}, 10)), (std::vector<uint64_t>{3, 5, 6})) << "no closed one was left";
  EXPECT_EQ(store.totals().flows_dropped, 3u);
  store.flow_changed(flow_facts(1, true));
  EXPECT_LE(store.totals().flows_held, 3u);
}

TEST(Store, TellsOnWhatItKeepsWhenItCanBeFound) {
  struct Follower final : flow::Recorder {
    explicit Follower(const Store& kept) : store(kept) {}
    void flow_changed(const std::shared_ptr<const flow::FlowFacts>& facts) override {
      EXPECT_EQ(store.flow(facts->id), facts);
      ++flows;
    }
    void exchange_ended(const flow::ExchangeFacts& facts) override {
      EXPECT_EQ(store.exchange(facts.id)->id, facts.id);
      told.push_back(facts.id);
    }
    const Store& store;
    int flows = 0;
    std::vector<uint64_t> told;
  };
  Store store;
  Follower follower(store);
  store.exchange_ended(Made(1));
  store.tell(&follower);
  store.flow_changed(flow_facts(5));
  store.exchange_ended(Made(2));
  store.tell(nullptr);
  store.exchange_ended(Made(3));
  EXPECT_EQ(follower.flows, 1);
  EXPECT_EQ(follower.told, std::vector<uint64_t>{2});
}

TEST(Store, PutsNewerFactsOfATunnelInThePlaceOfOlderOnes) {
  Store store;
  store.exchange_ended(Made(1));
  store.exchange_ended(Made(2));
  store.exchange_ended(Made(3));
  size_t before = store.totals().exchange_bytes_held;
  auto message = std::make_shared<flow::MessageFacts>();
  message->content = std::string(5'000, 'x');
  auto conversation = std::make_shared<flow::Conversation>();
  conversation->messages = {message};
  Made newer(2);
  newer.facts().conversation = conversation;
  store.exchange_changed(newer.shared());
  EXPECT_EQ(ids(store.exchanges({}, 100)), (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(store.exchange(2)->conversation, conversation);
  EXPECT_GE(store.totals().exchange_bytes_held, before + 5'000);
  EXPECT_EQ(store.totals().exchanges, 3u) << "it is no exchange more";
  store.exchange_changed(Made(2).shared());
  EXPECT_EQ(store.totals().exchange_bytes_held, before);
  store.exchange_changed(Made(9).shared());
  EXPECT_EQ(store.exchange(9), nullptr) << "it was dropped before";
}

TEST(Store, KeepsTheEndOfATunnelThatWasDroppedWhileItWasOpen) {
  Store store({.exchanges = 2});
  for (uint64_t id = 1; id <= 3; ++id) store.exchange_ended(Made(id));
  ASSERT_EQ(store.exchange(1), nullptr);
  Made over(1);
  over.facts().end = flow::ExchangeEnd::Upgraded;
  over.facts().conversation = std::make_shared<flow::Conversation>();
  store.exchange_changed(over.shared());
  EXPECT_EQ(ids(store.exchanges({}, 100)), (std::vector<uint64_t>{3, 1}));
  EXPECT_EQ(store.totals().exchanges, 3u);
  EXPECT_EQ(store.totals().exchanges_dropped, 1u) << "2 went for it";
}

TEST(Store, LosesNothingBetweenManyThreads) {
  Store store;
  std::vector<std::thread> workers;
  for (uint64_t worker = 0; worker < 4; ++worker)
    workers.emplace_back([&store, worker] {
      for (uint64_t i = 0; i < 500; ++i) {
        store.flow_changed(flow_facts(worker * 500 + i + 1, i % 2 == 0));
        store.exchange_ended(Made(worker * 500 + i + 1).invocation(std::to_string(worker * 500 + i), 1));
      }
    });
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(store.totals().exchanges, 2'000u);
  EXPECT_EQ(store.totals().invocations, 2'000u);
  EXPECT_EQ(store.exchanges({}, 10'000).size(), 2'000u);
}

TEST(Metrics, CountByServiceStatusAndWhoDidIt) {
  Store store({.exchanges = 2});
  store.exchange_ended(Made(1).invocation("i", 1).injected("slow", 503));
  store.exchange_ended(Made(2).at(100).invocation("i", 2, 5));
  store.exchange_ended(Made(3).not_aws("GET", "/").ended(flow::ExchangeEnd::UpstreamFailed));
  Made odd(4);
  odd.facts().call.service = "od\"d\n";
  store.exchange_ended(odd);
  store.flow_changed(flow_facts(1, true));
  store.flow_changed(flow_facts(1, true));
  std::string text = store.metrics();
  for (const char* line : {
           "# TYPE waylay_exchanges_total counter\n",
           "waylay_exchanges_total{service=\"s3\",status=\"5xx\",injected=\"true\"} 1\n",
           "waylay_exchanges_total{service=\"s3\",status=\"2xx\",injected=\"false\"} 1\n",
           "waylay_exchanges_total{service=\"\",status=\"none\",injected=\"false\"} 1\n",
           "waylay_exchanges_total{service=\"od\\\"d\\n\",status=\"2xx\",injected=\"false\"} 1\n",
           "waylay_invocations_total{service=\"s3\"} 1\n",
           "waylay_retries_total{service=\"s3\"} 1\n",
           "waylay_flows_total{outcome=\"intercepted\"} 1\n",
           "waylay_records_dropped_total{kind=\"exchange\"} 2\n",
           "waylay_records_held{kind=\"exchanges\"} 2\n",
       })
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

TEST(Metrics, CountServicesBeyondTheirLimitTogether) {
  Store store;
  for (uint64_t id = 1; id <= 300; ++id) {
    Made made(id);
    made.facts().call.service = "service" + std::to_string(id);
    store.exchange_ended(made);
  }
  EXPECT_NE(store.metrics().find("waylay_invocations_total{service=\"other\"} 100\n"), std::string::npos);
}

}  // namespace
}  // namespace waylay::record
