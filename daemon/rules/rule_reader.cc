#include "rules/rule_reader.h"

#include <algorithm>
#include <unordered_map>

#include "aws/fault.h"
#include "rules/base64.h"
#include "rules/duration.h"
#include "rules/header_reader.h"
#include "rules/json_reader.h"
#include "rules/limits_reader.h"

namespace waylay::rules {
namespace {

constexpr size_t kMostNameBytes = 64;

bool is_name(std::string_view name) {
  constexpr std::string_view kOthers = "._-:/@+";
  auto allowed = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kOthers.find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= kMostNameBytes && std::ranges::all_of(name, allowed);
}

std::string read_name(Reader& reader, const Json& rule, const Place& place) {
  if (!rule.contains("name")) reader.wrong(place, "a rule needs a \"name\"");
  std::string name = reader.text(rule, "name", place).value_or("");
  if (!is_name(name)) reader.wrong(place / "name", "a name is 1 to 64 letters, digits and . _ - : / @ +");
  return name;
}

match::Expression read_match(Reader& reader, const Json& rule, const Place& place) {
  if (!rule.contains("match")) reader.wrong(place, "a rule needs a \"match\"; \"\" matches everything");
  std::optional<std::string> text = reader.text(rule, "match", place);
  if (!text) return {};
  Result<match::Expression> expression = match::Expression::compile(*text);
  if (expression) return std::move(*expression);
  reader.wrong(place / "match", expression.error().message);
  return {};
}

bool has_no_body(int status) {
  return status == 204 || status == 205 || status == 304;
}

std::optional<int> read_status(Reader& reader, const Json& object, const Place& place) {
  std::optional<int64_t> status = reader.integer(object, "status", place);
  if (!status) return std::nullopt;
  if (*status < 100 || *status > 599) {
    reader.wrong(place / "status", std::to_string(*status) + " is not an HTTP status (100 to 599)");
    return std::nullopt;
  }
  if (*status < 200)
    reader.wrong(place / "status",
                 std::to_string(*status) + " is an interim status; an exchange ends with one of 200 to 599");
  return static_cast<int>(*status);
}

std::optional<std::string> read_reason(Reader& reader, const Json& object, const Place& place) {
  std::optional<std::string> reason = reader.text(object, "reason", place);
  if (reason && !http::valid_field_value(*reason))
    reader.wrong(place / "reason", "holds no line breaks and no control characters");
  return reason;
}

void read_delay(Reader& reader, const Json& rule, const Place& place, Actions& actions) {
  std::optional<std::string> text = reader.text(rule, "delay", place);
  if (!text) return;
  std::optional<int64_t> delay = parse_duration(*text);
  if (!delay || *delay <= 0 || *delay > kMostDelay_ns)
    return reader.wrong(
        place / "delay",
        "\"" + *text + "\" is not a delay: write \"200ms\" or \"1.5s\" (units ns us ms s m h), at most 1h");
  actions.delay_ns = *delay;
  actions.delay_text = *text;
}

std::string read_body(Reader& reader, const Json& respond, const Place& place) {
  std::optional<std::string> body = reader.text(respond, "body", place);
  std::optional<std::string> encoded = reader.text(respond, "body_base64", place);
  if (body && encoded)
    reader.wrong(place, "\"body\" and \"body_base64\" are two ways to say one thing: give one of them");
  if (encoded) {
    body = decode_base64(*encoded);
    if (!body) reader.wrong(place / "body_base64", "is not base64 (RFC 4648 section 4, padded)");
  }
  if (!body) return "";
  if (body->size() > kMostBodyBytes)
    reader.wrong(place / (encoded ? "body_base64" : "body"),
                 std::to_string(body->size()) + " bytes; a rule's body has at most 1 MiB");
  return std::move(*body);
}

Response read_respond(Reader& reader, const Json& value, const Place& place) {
  Response response;
  if (!reader.is_object(value, place, {"status", "reason", "headers", "body", "body_base64"})) return response;
  response.status = read_status(reader, value, place).value_or(200);
  response.reason = read_reason(reader, value, place).value_or(std::string(http::default_reason(response.status)));
  if (auto headers = value.find("headers"); headers != value.end())
    response.fields = read_fields(reader, *headers, place / "headers", EditOf::OwnResponse);
  response.body = read_body(reader, value, place);
  if (has_no_body(response.status) && !response.body.empty())
    reader.wrong(place, "a response with status " + std::to_string(response.status) + " has no body");
  return response;
}

Actions read_actions(Reader& reader, const Json& rule, const Place& place) {
  Actions actions;
  actions.status = read_status(reader, rule, place);
  if (actions.status && has_no_body(*actions.status))
    reader.wrong(place / "status", "a response with status " + std::to_string(*actions.status) +
                                       " has no body, but the upstream's may have one: use \"respond\"");
  actions.reason = read_reason(reader, rule, place);
  if (auto value = rule.find("headers"); value != rule.end())
    actions.response_headers = read_edits(reader, *value, place / "headers", EditOf::Response);
  if (auto value = rule.find("request_headers"); value != rule.end())
    actions.request_headers = read_edits(reader, *value, place / "request_headers", EditOf::Request);
  read_delay(reader, rule, place, actions);
  if (auto value = rule.find("respond"); value != rule.end())
    actions.respond = read_respond(reader, *value, place / "respond");
  if (std::optional<std::string> abort = reader.text(rule, "abort", place)) {
    if (*abort != "rst") reader.wrong(place / "abort", "\"" + *abort + "\" is unknown: \"rst\" resets the connection");
    actions.abort = true;
  }
  if (std::optional<std::string> fault = reader.text(rule, "fault", place)) {
    if (Result<void> known = aws::check_fault(*fault); !known) reader.wrong(place / "fault", known.error().message);
    actions.fault = *fault;
  }
  return actions;
}

// What cannot be done together, and what could never happen.
void check_actions(Reader& reader, const Rule::Parts& rule, const Place& place) {
  const Actions& actions = rule.actions;
  if (actions.empty())
    return reader.wrong(
        place, "a rule needs an action: status, reason, headers, request_headers, delay, respond, abort or fault");
  if (actions.respond.has_value() + actions.abort + !actions.fault.empty() > 1)
    return reader.wrong(
        place, "\"respond\", \"abort\" and \"fault\" each end the exchange in their own way: give one of them");
  if (actions.answers() && (actions.status || actions.reason))
    return reader.wrong(
        place,
        "\"status\" and \"reason\" rewrite the upstream's response, but this rule answers in its place: with "
        "\"respond\", say them inside it");
  if ((actions.respond || actions.abort) && !actions.response_headers.empty())
    return reader.wrong(
        place / "headers",
        "edits the upstream's response, but this rule answers in its place: with \"respond\", say them inside it");
  if (actions.request_headers.empty()) return;
  if (actions.answers())
    return reader.wrong(place / "request_headers",
                        "nothing is sent upstream by this rule, since it answers in its place");
  if (actions.rewrites_response())
    reader.wrong(place / "request_headers",
                 "a rule acts once, at the request or at the response: make two rules of it");
}

void check_moment(Reader& reader, const Rule::Parts& rule, const Place& place) {
  match::Moment known = rule.match.known_at();
  match::Moment needed = rule.actions.request_headers.empty() ? match::Moment::Response : match::Moment::Request;
  if (known <= needed) return;
  std::string names;
  for (match::Field field : rule.match.fields())
    if (match::info(field).moment > needed) names.append(names.empty() ? "" : ", ").append(match::info(field).name);
  std::string_view why =
      known == match::Moment::End
          ? " is known only when the exchange is over: too late for any rule"
          : " is known only with the response: too late for \"request_headers\", which go with the request";
  reader.wrong(place / "match", names + std::string(why));
}

std::shared_ptr<Rule> read_rule(Reader& reader, const Json& value, const Place& place, std::string_view origin) {
  if (!reader.is_object(
          value, place,
          {"name", "match", "status", "reason", "headers", "request_headers", "delay", "respond", "abort", "fault",
           "attempts", "for", "times", "every", "probability", "seed", "per_minute", "enabled", "comment"}))
    return nullptr;
  Rule::Parts parts;
  parts.name = read_name(reader, value, place);
  parts.match = read_match(reader, value, place);
  parts.actions = read_actions(reader, value, place);
  parts.comment = reader.text(value, "comment", place).value_or("");
  parts.enabled = reader.boolean(value, "enabled", place).value_or(true);
  parts.limits = read_limits(reader, value, place, parts.actions.makes_fault());
  if (reader.failed()) return nullptr;
  check_actions(reader, parts, place);
  check_moment(reader, parts, place);
  parts.origin = origin;
  parts.text = value.dump();
  return std::make_shared<Rule>(std::move(parts));
}

struct Listed {
  const Json* value;
  Place place;
};

// The rules of any of the three forms, each with its place.
std::vector<Listed> list_rules(Reader& reader, const Json& document) {
  const Json* array = &document;
  Place place;
  if (document.is_object() && document.contains("rules")) {
    if (!reader.is_object(document, place, {"rules", "comment"})) return {};
    array = &document["rules"];
    place = place / "rules";
  } else if (document.is_object()) {
    return {{&document, place}};
  }
  if (!array->is_array()) {
    reader.wrong(place, "must be an array of rules, not " + std::string(describe(*array)));
    return {};
  }
  std::vector<Listed> rules;
  for (size_t i = 0; i < array->size(); ++i) rules.push_back({&(*array)[i], place / i});
  return rules;
}

}  // namespace

Result<std::vector<std::shared_ptr<Rule>>> read_rules(std::string_view json, std::string_view origin) {
  Result<Json> document = parse_json(json, origin, kMostRuleFileBytes);
  if (!document) return fail(document);
  Reader reader(origin);
  std::vector<Listed> listed = list_rules(reader, *document);
  if (listed.size() > kMostRules)
    reader.wrong(Place(), std::to_string(listed.size()) + " rules; at most 10000 are taken");
  std::vector<std::shared_ptr<Rule>> rules;
  std::unordered_map<std::string, const Place*> names;
  for (const Listed& one : listed) {
    if (reader.failed()) break;
    std::shared_ptr<Rule> rule = read_rule(reader, *one.value, one.place, origin);
    if (!rule) break;
    auto [former, is_new] = names.emplace(rule->name(), &one.place);
    if (!is_new)
      reader.wrong(one.place / "name",
                   "\"" + rule->name() + "\" is the name of " + former->second->pointer() + " already");
    rules.push_back(std::move(rule));
  }
  if (reader.failed()) return fail(reader.first());
  return rules;
}

}  // namespace waylay::rules
