// An exchange as rules see it, for the tests of this folder: what is set is known, and asked for by match::Field.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "rules/rule.h"
#include "rules/rule_book.h"
#include "rules/rule_reader.h"
#include "unit/match/support.h"

namespace waylay::rules {

constexpr Time kNow{1, 1'795'348'800 * kSecond_ns};

struct Exchange {
  match::FakeSubject subject;
  http::Head request = http::Head::request("GET", "/bucket/key");
  aws::Call call = aws::classify(request, "s3.eu-west-1.amazonaws.com");

  explicit Exchange(std::string_view host = "s3.eu-west-1.amazonaws.com", int status = 200) {
    subject.with(match::Field::HttpHost, std::string(host))
        .with(match::Field::TlsServerName, std::string(host))
        .with(match::Field::HttpRequestMethod, "GET")
        .with(match::Field::HttpResponseCode, status);
  }
  Plan at_request(const RuleSet& rules) const {
    return rules.plan(subject, match::Moment::Request, call, request, kNow);
  }
  Plan at_response(const RuleSet& rules) const {
    return rules.plan(subject, match::Moment::Response, call, request, kNow);
  }
};

inline RuleSet rule_set(std::string_view json) {
  Result<std::vector<std::shared_ptr<Rule>>> rules = read_rules(json, "test");
  if (!rules) {
    ADD_FAILURE() << rules.error().message;
    return RuleSet();
  }
  return RuleSet({rules->begin(), rules->end()});
}

// A rule called r with these members.
inline std::string rule_json(std::string_view members, std::string_view match = "") {
  return R"({"name": "r", "match": ")" + std::string(match) + "\", " + std::string(members) + "}";
}

}  // namespace waylay::rules
