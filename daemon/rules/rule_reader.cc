#include "rules/rule_reader.h"

#include <algorithm>
#include <unordered_map>

#include "base/base64.h"
#include "rules/actions_reader.h"
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

// The last moments at which the request can still be changed, and at which the response can.
constexpr match::Moment kLastOfRequest = match::Moment::RequestBody;
constexpr match::Moment kLastOfResponse = match::Moment::ResponseBody;

std::string listed(const std::vector<std::string_view>& names) {
  std::string text;
  for (std::string_view name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

std::string names_of_late_fields(const match::Expression& expression, match::Moment moment) {
  std::vector<std::string_view> names;
  for (match::Field field : expression.fields())
    if (match::info(field).moment > moment) names.push_back(match::info(field).name);
  return listed(names);
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

bool is_condition(match::Field field) {
  bool is_time = field >= match::Field::TimeDate && field <= match::Field::TimeWeekday;
  return is_time || match::info(field).moment <= match::Moment::Hello;
}

match::Expression read_while(Reader& reader, const Json& rule, const Place& place) {
  std::optional<std::string> text = reader.text(rule, "while", place);
  if (!text) return {};
  Result<match::Expression> expression = match::Expression::compile(*text);
  if (!expression) {
    reader.wrong(place / "while", expression.error().message);
    return {};
  }
  for (match::Field field : expression->fields())
    if (!is_condition(field))
      reader.wrong(place / "while",
                   std::string(match::info(field).name) +
                       " belongs to an exchange: a condition holds for connections, containers and times; say it in "
                       "\"match\"");
  return std::move(*expression);
}

// Which of the rule's actions answers, for people; more than one cannot.
std::string answers_of(const Actions& actions) {
  std::string text;
  auto say = [&text](bool whether, std::string_view name) {
    if (whether) text.append(text.empty() ? "\"" : " and \"").append(name).append("\"");
  };
  say(actions.respond.has_value(), "respond");
  say(actions.abort.has_value(), "abort");
  say(!actions.fault.empty(), "fault");
  say(actions.handler != nullptr, "handler");
  say(actions.block.has_value(), "block");
  return text;
}

// What cannot be done together, and what could never happen.
void check_answer(Reader& reader, const Actions& actions, const Place& place) {
  std::string answers = answers_of(actions);
  if (answers.find(" and ") != std::string::npos)
    return reader.wrong(place, answers + " each end the exchange in their own way: give one of them");
  if (!actions.answers()) return;
  bool edits_upstreams = !actions.abort || !actions.abort->needs_response();
  if (edits_upstreams && (actions.status || actions.reason))
    return reader.wrong(place,
                        "\"status\" and \"reason\" rewrite the upstream's response, but this rule answers in its "
                        "place: with \"respond\", say them inside it");
  bool has_headers = !actions.fault.empty() || actions.service_throttle;
  if (edits_upstreams && !has_headers && !actions.response_headers.empty())
    return reader.wrong(place / "headers",
                        "edits the upstream's response, but this rule answers in its place: with \"respond\", say "
                        "them inside it");
  if (edits_upstreams && !actions.response_body.empty())
    return reader.wrong(place / "body",
                        "edits the upstream's response, but this rule answers in its place: with \"respond\", say "
                        "it inside it");
}

std::string_view request_action(const Actions& actions) {
  if (!actions.request_headers.empty()) return "request_headers";
  if (!actions.request_body.empty()) return "request_body";
  return actions.upstream ? "upstream" : "";
}

void check_request_actions(Reader& reader, const Actions& actions, const Place& place) {
  std::string_view name = request_action(actions);
  if (name.empty()) return;
  if (actions.answers())
    return reader.wrong(place / name, "nothing is sent upstream by this rule, since it answers in its place");
  if (actions.rewrites_response() || actions.at == match::Moment::Response)
    reader.wrong(place / name, "a rule acts once, at the request or at the response: make two rules of it");
}

void check_connection_actions(Reader& reader, const Rule::Parts& rule, const Place& place) {
  const Actions& actions = rule.actions;
  if (!actions.is_for_connections()) return;
  std::string_view name = actions.passthrough ? "passthrough" : "tls";
  bool alone = !actions.of_exchange() && !actions.block && !actions.at && !(actions.passthrough && actions.tls);
  if (!alone || (actions.passthrough && actions.upstream))
    return reader.wrong(place / name,
                        "is decided when the connection begins, before there is an exchange: make two rules of it");
  if (rule.limits.first_attempt != 0 || rule.limits.rate)
    reader.wrong(place / name,
                 "is decided when the connection begins: \"attempts\" and \"rate_limit\" are limits of "
                 "exchanges");
}

void check_actions(Reader& reader, const Rule::Parts& rule, const Place& place) {
  if (rule.actions.empty())
    return reader.wrong(place, "a rule needs an action, such as status, respond, fault, abort or delay");
  check_answer(reader, rule.actions, place);
  check_request_actions(reader, rule.actions, place);
  check_connection_actions(reader, rule, place);
  if (rule.actions.at == match::Moment::Request && rule.actions.rewrites_response())
    reader.wrong(place / "at", "this rule rewrites the response, so that it acts there");
}

// What the match must be known by, and why.
std::pair<match::Moment, std::string> deadline_of(const Actions& actions) {
  if (actions.is_for_connections())
    return {match::Moment::Hello, std::string(" is not known when the connection begins: \"") +
                                      (actions.passthrough ? "passthrough" : "tls") +
                                      "\" is decided by fields that are known with the ClientHello, such as tls.sni"};
  if (std::string_view name = request_action(actions); !name.empty())
    return {kLastOfRequest,
            " is known only with the response: too late for \"" + std::string(name) + "\", which go with the request"};
  if (actions.at == match::Moment::Request)
    return {kLastOfRequest, " is known only with the response: too late for \"at\": \"request\""};
  return {kLastOfResponse, " is known only when the exchange is over: too late for any rule"};
}

void check_moments(Reader& reader, const Rule& rule, const Place& place) {
  auto [moment, why] = deadline_of(rule.actions());
  if (rule.match().known_at() > moment)
    return reader.wrong(place / "match", names_of_late_fields(rule.match(), moment) + why);
  if (rule.only_while().known_at() > moment)
    return reader.wrong(place / "while", names_of_late_fields(rule.only_while(), moment) + why);
  for (match::Field field : rule.actions().template_fields())
    if (match::info(field).moment > rule.acts_at())
      return reader.wrong(place,
                          "{{" + std::string(match::info(field).name) + "}} is not known yet when this rule acts, " +
                              "which is at the " + std::string(match::to_string(rule.acts_at())) +
                              (match::info(field).moment <= kLastOfResponse && rule.acts_at() < match::Moment::Response
                                   ? "; \"at\": \"response\" makes it act later"
                                   : ""));
}

std::shared_ptr<Rule> read_rule(Reader& reader, const Json& value, const Place& place, std::string_view origin) {
  if (!reader.is_object(value, place, rule_names())) return nullptr;
  Rule::Parts parts;
  parts.name = read_name(reader, value, place);
  parts.match = read_match(reader, value, place);
  parts.only_while = read_while(reader, value, place);
  parts.actions = read_actions(reader, value, place);
  parts.comment = reader.text(value, "comment", place).value_or("");
  parts.enabled = reader.boolean(value, "enabled", place).value_or(true);
  parts.limits = read_limits(reader, value, place, parts.actions);
  if (reader.failed()) return nullptr;
  parts.actions.service_throttle = parts.limits.rate && !parts.actions.answers();
  check_actions(reader, parts, place);
  if (reader.failed()) return nullptr;
  parts.origin = origin;
  parts.text = value.dump();
  auto rule = std::make_shared<Rule>(std::move(parts));
  check_moments(reader, *rule, place);
  return rule;
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
  rules.reserve(array->size());
  for (size_t i = 0; i < array->size(); ++i) rules.push_back({&(*array)[i], place / i});
  return rules;
}

bool names_file(const Json& rule) {
  const Json* respond = rule.is_object() ? Reader::member(rule, "respond") : nullptr;
  return respond && respond->is_object() && respond->contains("file");
}

// The rule with what its file holds now: another content is another rule, and counts anew.
Json with_content(Reader& reader, Json rule, const Place& place) {
  Json& respond = rule["respond"];
  Place where = place / "respond" / "file";
  std::optional<std::string> path = reader.text(respond["file"], where);
  Result<std::string> content = path ? reader.file(*path) : fail(Error::local(ErrorKind::Invalid, "is no path"));
  if (!content) reader.wrong(where, content.error().message);
  if (respond.contains("body") || respond.contains("body_base64"))
    reader.wrong(place / "respond", "a body is said there as well as by \"file\": give one of them");
  respond.erase("file");
  respond["body_base64"] = encode_base64(content.value_or(""));
  return rule;
}

}  // namespace

std::vector<std::string_view> rule_names() {
  std::vector<std::string_view> names = {"name", "match", "while", "enabled", "comment"};
  std::ranges::copy(action_names(), std::back_inserter(names));
  std::ranges::copy(limit_names(), std::back_inserter(names));
  return names;
}

Result<std::vector<std::shared_ptr<Rule>>> read_rules(std::string_view json, std::string_view origin,
                                                      Reader::Files files) {
  Result<Json> document = parse_json(json, origin, kMostRuleFileBytes);
  if (!document) return fail(document);
  Reader reader(origin, std::move(files));
  std::vector<Listed> listed = list_rules(reader, *document);
  if (listed.size() > kMostRules)
    reader.wrong(Place(), std::to_string(listed.size()) + " rules; at most 10000 are taken");
  std::vector<std::shared_ptr<Rule>> rules;
  std::unordered_map<std::string, const Place*> names;
  for (const Listed& one : listed) {
    if (reader.failed()) break;
    std::shared_ptr<Rule> rule = names_file(*one.value)
                                     ? read_rule(reader, with_content(reader, *one.value, one.place), one.place, origin)
                                     : read_rule(reader, *one.value, one.place, origin);
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
