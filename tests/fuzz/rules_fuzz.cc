// Rules files: whatever comes in, the answer is rules that can act and be shown, or an error in words.
#include "base/check.h"
#include "rules/rule.h"
#include "rules/rule_book.h"
#include "rules/rule_reader.h"

namespace {

using namespace waylay;

class Everything : public match::Subject {
 public:
  match::Value value(match::Field field, std::string_view) const override {
    if (match::info(field).type == match::Type::String) return std::string_view("s3.amazonaws.com");
    return {};
  }
};

void act(const rules::RuleSet& set) {
  http::Head request = http::Head::request("GET", "/bucket/key");
  aws::Call call = aws::classify(request, "s3.amazonaws.com");
  Everything subject;
  set.may_answer(subject, Time{});
  rules::ConnectionPlan connection = set.plan_connection(subject, Time{});
  CHECK(!connection.block || !connection.applied.empty());
  for (match::Moment moment : {match::Moment::Request, match::Moment::Response}) {
    rules::Plan plan = set.plan(subject, moment, call, request, Time{});
    http::Head response = http::Head::response(200, "OK");
    plan.request_headers.apply(request);
    plan.response_headers.apply(response);
    if (plan.status) response.set_status(*plan.status);
    if (plan.reason) response.set_reason(*plan.reason);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto loaded = rules::read_rules(text, "fuzz");
  if (!loaded) {
    CHECK(loaded.error().message.starts_with("fuzz: "));
    return 0;
  }
  act(rules::RuleSet({loaded->begin(), loaded->end()}));
  rules::RuleBook book;
  CHECK(book.add(text, "fuzz", Time{}));
  CHECK(!book.to_json(Time{}).empty());
  return 0;
}
