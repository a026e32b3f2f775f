#include "rules/lint.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "body/message_body.h"
#include "match/contradiction.h"
#include "rules/rule_reader.h"

namespace waylay::rules {
namespace {

// The error codes for which botocore's standard and adaptive modes retry a client error.
constexpr std::string_view kThrottlingCodes[] = {"Throttling",
                                                 "ThrottledException",
                                                 "RequestThrottled",
                                                 "TooManyRequestsException",
                                                 "ProvisionedThroughputExceededException",
                                                 "TransactionInProgressException",
                                                 "RequestLimitExceeded",
                                                 "BandwidthLimitExceeded",
                                                 "LimitExceededException",
                                                 "SlowDown",
                                                 "PriorRequestNotComplete",
                                                 "EC2ThrottledException"};

// A code that another begins with stands for that one too: Throttling, ThrottlingException.
bool names_throttling(std::string_view body) {
  return std::ranges::any_of(kThrottlingCodes,
                             [body](std::string_view code) { return body.find(code) != std::string_view::npos; });
}

template <class Fields>
bool has_field(const Fields& fields, std::string_view name) {
  return std::ranges::any_of(fields, [name](const auto& field) { return equals_ignoring_case(field.first, name); });
}

// Whether the rule's answer gets this header from the rule.
bool gives_header(const Actions& actions, std::string_view name) {
  return has_field(actions.response_headers.set, name) || has_field(actions.response_headers.add, name) ||
         (actions.respond && has_field(actions.respond->fields, name));
}

// What the client sees, where the rule says it by number.
int given_status(const Actions& actions) {
  if (actions.respond) return actions.respond->status;
  return actions.status.value_or(0);
}

http::Head with_field(std::string_view name, std::string_view value) {
  http::Head head = http::Head::response(200, "");
  if (http::valid_field_value(value)) head.add(name, value);
  return head;
}

class Linter {
 public:
  explicit Linter(const RuleList& rules) : rules_(rules) {}

  std::vector<Warning> run() {
    for (size_t i = 0; i < rules_.size(); ++i) {
      rule_ = rules_[i].get();
      if (!rule_->enabled()) continue;
      check_status();
      check_retry_after();
      check_redirect();
      check_encoding();
      check_match();
      check_moment();
      check_end();
      check_body();
      check_shadow(i);
    }
    return std::move(warnings_);
  }

 private:
  void warn(std::string_view kind, std::string fact, std::string fix) {
    warnings_.push_back({kind, rule_->name(), rule_->origin(), std::move(fact), std::move(fix)});
  }

  void check_status() {
    const Actions& actions = rule_->actions();
    int status = given_status(actions);
    bool bare = actions.respond ? !names_throttling(actions.respond->body.text()) : true;
    if (status == 429 && bare)
      return warn("bare-429",
                  "botocore's standard and adaptive modes do not retry a 429 without a throttling error code in its "
                  "body; legacy mode and the AWS SDK for JavaScript do",
                  "for an AWS service write \"fault\": \"aws:throttle\", or respond with an error body that has a code "
                  "such as ThrottlingException");
    if (actions.respond && status == 400 && actions.respond->body.text().find("SlowDown") != std::string::npos)
      return warn("slowdown-400",
                  "botocore's legacy mode does not retry a 400 with the code SlowDown, its other modes do",
                  "S3 sends it with a 503: write \"fault\": \"aws:slowdown\", or respond with status 503");
    if (status == 509)
      return warn("status-509", "of the SDKs, only botocore's legacy mode retries a 509",
                  "respond with 503, or write a \"fault\" (waylay rules faults)");
    if (actions.status && status >= 400)
      warn("empty-error-code",
           "status " + std::to_string(status) +
               " goes with the upstream's own body, in which botocore finds no error: its exception has an empty code",
           "for an AWS service write a \"fault\" (waylay rules faults), or respond with an error body");
  }

  void check_retry_after() {
    if (gives_header(rule_->actions(), "retry-after"))
      warn("retry-after-ignored", "botocore ignores Retry-After: its back-off stays as it is",
           "leave the header out, or write \"delay\" to slow the client down");
  }

  void check_redirect() {
    int status = given_status(rule_->actions());
    bool redirects = status >= 300 && status < 400 && status != 304;
    if (redirects && !gives_header(rule_->actions(), "location"))
      warn("redirect-without-location",
           "status " + std::to_string(status) + " without a Location is no redirect: botocore crashes with a TypeError",
           "set a Location header");
  }

  void check_encoding() {
    if (gives_header(rule_->actions(), "content-encoding"))
      warn("encoding-without-coding",
           "a header says how the body is coded and does not code it: clients fail to decode what is sent as it is",
           "leave Content-Encoding out");
  }

  void check_match() {
    const match::Expression& expression = rule_->match();
    if (match::is_contradiction(rule_->match().text()))
      return warn("never-matches", "matches nothing: its conditions on one field exclude each other",
                  "write \"or\", or in {...}, where either may hold");
    bool reads_body = expression.asks_at(match::Moment::RequestBody) || expression.asks_at(match::Moment::ResponseBody);
    bool narrow = std::ranges::any_of(
        expression.fields(), [](match::Field field) { return match::info(field).moment <= match::Moment::Request; });
    if (reads_body && !narrow)
      warn("collects-every-body",
           "a match on bodies alone makes every body of every target wait until it is read to its end",
           "say first whose: and http.host == \"...\", or aws.service and aws.operation");
  }

  void check_moment() {
    bool late = rule_->acts_at() == match::Moment::Response || rule_->acts_at() == match::Moment::ResponseBody;
    if (rule_->actions().fault.empty() || !late) return;
    warn(
        "fault-after-the-work",
        "its match needs the response, so the service has done what was asked when the fault takes its place: an "
        "object "
        "is stored, a message is sent, although the client is told that it failed",
        "leave http.response... out of the match to fault the request before it goes up, unless that is what you mean");
  }

  void check_end() {
    const Limits& limits = rule_->limits();
    if (!rule_->actions().makes_fault() || limits.life_ns || limits.times) return;
    warn("endless-fault", "makes things go wrong until somebody removes it: it lives forever, and is not counted",
         "give it a time to live (\"for\": \"30m\"), or \"times\"");
  }

  // Bodies that rules do not get or may not change, where the match says that it is about these and no others.
  void check_body() {
    bool edits = !rule_->actions().response_body.empty();
    const match::Expression& match = rule_->match();
    if (edits && match.required(match::Field::HttpResponseCode) == std::vector<std::string>{"206"})
      warn("edit-of-part", "a 206 is a part of a body that nobody sees as a whole: it is forwarded as it is",
           "match the whole response, or remove the request's Range header with \"request_headers\"");
    if (edits && match.methods() == std::vector<std::string>{"HEAD"})
      warn("edit-of-head", "the answer to HEAD has no body", "match the method that gets the body");
    const Handler* handler = rule_->actions().handler.get();
    bool hands_over = handler != nullptr && handler->phase == Handler::Phase::Response;
    std::vector<std::string> accepted = match.required(match::Field::HttpHeader, "accept");
    std::vector<std::string> types = match.required(match::Field::HttpResponseContentType);
    check_stream(match::Moment::RequestBody, match.required(match::Field::HttpContentType),
                 handler != nullptr || !rule_->actions().request_body.empty());
    check_stream(match::Moment::ResponseBody, types.empty() ? accepted : types, hands_over || edits);
    if (edits || match.asks_at(match::Moment::ResponseBody)) check_coding();
  }

  void check_stream(match::Moment moment, const std::vector<std::string>& types, bool needs_body) {
    if (!needs_body && !rule_->match().asks_at(moment)) return;
    bool streams = !types.empty() && std::ranges::all_of(types, [](const std::string& value) {
      return !body::why_not_collected(with_field("Content-Type", value)).empty();
    });
    if (streams)
      warn("body-of-stream",
           "a " + types.front() + " is a stream, whose end nobody waits for: its body is not collected",
           "match other content types, or edit the headers only");
  }

  void check_coding() {
    std::vector<std::string> codings = rule_->match().required(match::Field::HttpResponseHeader, "content-encoding");
    bool unknown = !codings.empty() && std::ranges::none_of(codings, [](const std::string& value) {
      return body::codings_of(with_field("Content-Encoding", value)).has_value();
    });
    if (unknown)
      warn("unknown-coding",
           "the Content-Encoding " + codings.front() + " cannot be decoded: such a body stays as it is",
           "make the server send another one: set Accept-Encoding with \"request_headers\", to gzip, deflate, br or "
           "zstd");
  }

  void check_shadow(size_t index) {
    for (size_t i = 0; i < index; ++i) {
      const Rule& earlier = *rules_[i];
      if (!shadows(earlier)) continue;
      std::string what = earlier.match().text() == rule_->match().text() ? "has the same match" : "matches everything";
      return warn("shadowed",
                  "never acts: rule \"" + earlier.name() + "\" comes before it, " + what + " and ends the exchange",
                  "put it before \"" + earlier.name() + "\", or narrow that one's match or limit it");
    }
  }

  // A rule that answers at the request leaves the rules at the response something to act on, unless it aborts.
  bool shadows(const Rule& earlier) const {
    if (!earlier.enabled() || !earlier.actions().answers()) return false;
    if (earlier.acts_at() != rule_->acts_at() &&
        !(earlier.actions().abort && earlier.acts_at() == match::Moment::Request))
      return false;
    const Limits& limits = earlier.limits();
    bool lets_some_pass = limits.first_attempt != 0 || limits.rate || limits.counts_matches();
    std::string_view wide = trim(earlier.match().text());
    return !lets_some_pass && (wide.empty() || wide == trim(rule_->match().text()));
  }

  const RuleList& rules_;
  const Rule* rule_ = nullptr;
  std::vector<Warning> warnings_;
};

}  // namespace

std::vector<Warning> lint(const RuleList& rules) {
  return Linter(rules).run();
}

Result<std::vector<Warning>> lint(std::span<const Document> documents) {
  std::vector<Warning> all;
  for (const Document& document : documents) {
    Result<std::vector<std::shared_ptr<Rule>>> rules = read_rules(document.json, document.origin);
    if (!rules) return fail(rules);
    std::vector<Warning> warnings = lint(RuleList(rules->begin(), rules->end()));
    std::ranges::move(warnings, std::back_inserter(all));
  }
  return all;
}

std::string to_json(std::span<const Warning> warnings) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Warning& warning : warnings)
    json.push_back({{"kind", warning.kind},
                    {"rule", warning.rule},
                    {"origin", warning.origin},
                    {"fact", warning.fact},
                    {"fix", warning.fix}});
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace waylay::rules
