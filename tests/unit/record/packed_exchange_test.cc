#include "record/packed_exchange.h"

#include "unit/record/support.h"

namespace waylay::record {
namespace {

http::Head head_of(http::Kind kind, std::string raw) {
  Result<http::Head> parsed = http::Head::parse(kind, std::move(raw), Side::Local);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return std::move(*parsed);
}

// Nothing is left as it is by default.
flow::ExchangeFacts full() {
  Made made(17);
  made.at(250, 30).invocation("id-1", 2, 5).sdk("Boto3", "1.26.27", "standard").injected("slow", 503);
  flow::ExchangeFacts& facts = made.facts();
  facts.response_started = at_ms(270);
  facts.request = head_of(http::Kind::Request, "GET /bucket/key HTTP/1.1\r\nHost: a.test\r\nX-One:  1 \r\n\r\n");
  facts.response = http::Head::http2_response(503);
  facts.response->add("Retry-After", "3");
  facts.request_body = 11;
  facts.response_body = 22;
  facts.upstream_status = 200;
  facts.call.region = "eu-west-1";
  facts.call.bucket = "bucket";
  facts.call.table = "table";
  facts.call.key = "key";
  facts.call.protocol = aws::Protocol::RestXml;
  facts.notes = {"first", "", "third"};
  facts.rules_version = 7;
  facts.end = flow::ExchangeEnd::Aborted;
  facts.error = "why";
  facts.conversation = std::make_shared<flow::Conversation>();
  return facts;
}

void expect_same(const Time& a, const Time& b) {
  EXPECT_EQ(a.steady_ns, b.steady_ns);
  EXPECT_EQ(a.wall_ns, b.wall_ns);
}

void expect_same(const std::optional<http::Head>& a, const std::optional<http::Head>& b) {
  ASSERT_EQ(a.has_value(), b.has_value());
  if (!a) return;
  EXPECT_EQ(a->raw(), b->raw());
  EXPECT_EQ(a->kind(), b->kind());
  EXPECT_EQ(a->status(), b->status());
  EXPECT_EQ(a->version(), b->version());
  EXPECT_EQ(a->target(), b->target());
  EXPECT_EQ(a->reason(), b->reason());
  ASSERT_EQ(a->field_count(), b->field_count());
  for (size_t i = 0; i < a->field_count(); ++i) {
    EXPECT_EQ(a->field(i).name, b->field(i).name);
    EXPECT_EQ(a->field(i).value, b->field(i).value);
  }
}

void expect_same(const flow::ExchangeFacts& a, const flow::ExchangeFacts& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.flow, b.flow);
  expect_same(a.started, b.started);
  expect_same(a.request_sent, b.request_sent);
  expect_same(a.response_started, b.response_started);
  expect_same(a.ended, b.ended);
  EXPECT_EQ(a.host, b.host);
  EXPECT_EQ(a.target, b.target);
  expect_same(a.request, b.request);
  expect_same(a.response, b.response);
  EXPECT_EQ(a.request_body, b.request_body);
  EXPECT_EQ(a.response_body, b.response_body);
  EXPECT_EQ(a.upstream_status, b.upstream_status);
  EXPECT_EQ(a.status, b.status);
  EXPECT_EQ(a.call.service, b.call.service);
  EXPECT_EQ(a.call.operation, b.call.operation);
  EXPECT_EQ(a.call.region, b.call.region);
  EXPECT_EQ(a.call.bucket, b.call.bucket);
  EXPECT_EQ(a.call.table, b.call.table);
  EXPECT_EQ(a.call.key, b.call.key);
  EXPECT_EQ(a.call.invocation_id, b.call.invocation_id);
  EXPECT_EQ(a.call.attempt, b.call.attempt);
  EXPECT_EQ(a.call.max_attempts, b.call.max_attempts);
  EXPECT_EQ(a.call.sdk, b.call.sdk);
  EXPECT_EQ(a.call.sdk_version, b.call.sdk_version);
  EXPECT_EQ(a.call.retry_mode, b.call.retry_mode);
  EXPECT_EQ(a.call.protocol, b.call.protocol);
  ASSERT_EQ(a.applied.size(), b.applied.size());
  for (size_t i = 0; i < a.applied.size(); ++i) {
    EXPECT_EQ(a.applied[i].rule, b.applied[i].rule);
    EXPECT_EQ(a.applied[i].what, b.applied[i].what);
    EXPECT_EQ(a.applied[i].injected, b.applied[i].injected);
  }
  EXPECT_EQ(a.notes, b.notes);
  EXPECT_EQ(a.rules_version, b.rules_version);
  EXPECT_EQ(a.end, b.end);
  EXPECT_EQ(a.error, b.error);
  EXPECT_EQ(a.conversation, b.conversation);
}

TEST(PackedExchange, UnpacksToTheSameFacts) {
  flow::ExchangeFacts facts = full();
  PackedExchange packed = ExchangePacker().pack(facts);
  EXPECT_EQ(packed.id(), 17u);
  EXPECT_GT(packed.size(), facts.request->raw().size());
  expect_same(packed.unpacked(), facts);
}

TEST(PackedExchange, KnowsWhatIsMissingFromWhatIsEmpty) {
  flow::ExchangeFacts facts;
  expect_same(ExchangePacker().pack(facts).unpacked(), facts);
}

TEST(PackedExchange, HasHeadsThatCanBeEditedOnceUnpacked) {
  flow::ExchangeFacts facts = ExchangePacker().pack(full()).unpacked();
  facts.request->set("X-One", "longer than it was");
  facts.request->add("X-Two", "2");
  EXPECT_EQ(facts.request->raw(),
            "GET /bucket/key HTTP/1.1\r\nHost: a.test\r\nX-One:  longer than it was \r\nX-Two: 2\r\n\r\n");
}

TEST(PackedExchange, OutlivesThePackerAndTheOthersOfItsBlock) {
  std::vector<PackedExchange> kept;
  {
    ExchangePacker packer;
    flow::ExchangeFacts facts = full();
    for (uint64_t id = 1; id <= 2000; ++id) {
      facts.id = id;
      facts.error = std::string(id, 'e');  // later ones fill a block by themselves
      PackedExchange packed = packer.pack(facts);
      if (id % 100 == 0) kept.push_back(packed);
    }
    facts.target = std::string(200'000, 't');  // larger than a block
    kept.push_back(packer.pack(facts));
  }
  for (size_t i = 0; i < 20; ++i) {
    flow::ExchangeFacts facts = kept[i].unpacked();
    EXPECT_EQ(facts.id, (i + 1) * 100);
    EXPECT_EQ(facts.error, std::string((i + 1) * 100, 'e'));
  }
  EXPECT_EQ(kept.back().unpacked().target, std::string(200'000, 't'));
}

}  // namespace
}  // namespace waylay::record
