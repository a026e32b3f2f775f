#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/bytes.h"
#include "cli/given_rules.h"
#include "cli/json.h"
#include "cli/rule_file.h"
#include "cli/session.h"

namespace waylay::cli {
namespace {

std::unexpected<Error> wrong(std::string message) {
  return fail(Error::local(ErrorKind::Invalid, std::move(message)));
}

// "Name: value" into {"Name": "value"}, or {"Name": ["one", "two"]} when the name comes again.
Result<void> add_header(Json& into, std::string_view option, const std::string& line) {
  size_t colon = line.find(':');
  if (colon == std::string::npos || colon == 0)
    return wrong(std::string(option) + ": \"" + line + "\" is no header; write 'Name: value'");
  std::string name(trim(std::string_view(line).substr(0, colon))),
      value(trim(std::string_view(line).substr(colon + 1)));
  if (!into.contains(name)) {
    into[name] = value;
    return {};
  }
  if (!into[name].is_array()) into[name] = Json::array({into[name]});
  into[name].push_back(value);
  return {};
}

Result<Json> headers_of(const Parsed& parsed, std::string_view option) {
  Json headers = Json::object();
  for (const std::string& line : parsed.all(option))
    if (Result<void> added = add_header(headers, option, line); !added) return fail(added);
  return headers;
}

// {"set": {}, "add": {}, "remove": []} of "--set-header" and its sisters, or of "--set-request-header".
Result<Json> edits_of(const Parsed& parsed, const std::string& what) {
  Json edits = Json::object();
  for (const char* action : {"set", "add"}) {
    Result<Json> headers = headers_of(parsed, "--" + std::string(action) + what);
    if (!headers) return fail(headers);
    if (!headers->empty()) edits[action] = *headers;
  }
  if (const auto& names = parsed.all("--remove" + what); !names.empty()) edits["remove"] = names;
  return edits;
}

Result<int> number_option(const Parsed& parsed, std::string_view option) {
  std::string text = *parsed.last(option);
  int value = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size())
    return wrong(std::string(option) + ": \"" + text + "\" is no number");
  return value;
}

// The response made by us takes the reason, the headers and the body.
Result<Json> respond_of(const Parsed& parsed) {
  Result<int> status = number_option(parsed, "--respond");
  if (!status) return fail(status);
  if (parsed.has("--remove-header")) return wrong("--remove-header: with --respond there is nothing to remove");
  if (parsed.has("--body") && parsed.has("--body-file")) return wrong("--body and --body-file: give one of them");
  Json respond = {{"status", *status}};
  if (auto reason = parsed.last("--reason")) respond["reason"] = *reason;
  Json headers = Json::object();
  for (std::string_view option : {"--set-header", "--add-header"})
    for (const std::string& line : parsed.all(option))
      if (Result<void> added = add_header(headers, option, line); !added) return fail(added);
  if (!headers.empty()) respond["headers"] = headers;
  if (auto body = parsed.last("--body")) set_body(respond, *body);
  if (auto path = parsed.last("--body-file")) {
    Result<std::string> body = read_file(*path, kMaximumBodyFile);
    if (!body) return fail(body);
    set_body(respond, *body);
  }
  return respond;
}

Result<void> add_response_edits(Json& rule, const Parsed& parsed) {
  if (parsed.has("--respond")) {
    Result<Json> respond = respond_of(parsed);
    if (!respond) return fail(respond);
    rule["respond"] = *respond;
    return {};
  }
  if (parsed.has("--body") || parsed.has("--body-file")) return wrong("--body and --body-file go with --respond");
  if (auto reason = parsed.last("--reason")) rule["reason"] = *reason;
  Result<Json> edits = edits_of(parsed, "-header");
  if (!edits) return fail(edits);
  if (!edits->empty()) rule["headers"] = *edits;
  return {};
}

// The members of a rule that are no actions.
constexpr std::string_view kNoActions[] = {"name",  "match",       "comment", "enabled",    "attempts", "for",
                                           "times", "probability", "every",   "per_minute", "seed"};

// "attempts 1-2, every 3, probability 0.1 (seed 7), 30 a minute": when a rule acts on what it matches.
std::string limits_of(const Json& shown) {
  const Json& rule = member(shown, "rule");
  std::string out;
  auto say = [&](std::string_view before, std::string_view name, std::string_view behind = "") {
    const Json& value = member(rule, name);
    if (value.is_null()) return;
    std::string said = value.is_string() ? value.get<std::string>() : to_line(value);
    out.append(out.empty() ? "" : ", ").append(before).append(harmless(said)).append(behind);
  };
  say("attempts ", "attempts");
  say("every ", "every");
  say("probability ", "probability", " (seed " + to_line(member(shown, "seed")) + ")");
  say("", "per_minute", " a minute");
  return out.empty() ? "-" : out;
}

// What is left of a rule's life: "59m 12s".
std::string life_of(const Json& shown) {
  if (text(shown, "state") == "expired") return "expired";
  const Json& left = member(shown, "seconds_left");
  if (!left.is_number()) return "forever";
  return short_duration(left.get<int64_t>());
}

// "slow", "slow (off)".
std::string name_of(const Json& shown) {
  std::string name = text(shown, "name"), state = text(shown, "state");
  if (state == "disabled") return name + " (disabled)";
  if (state == "off") return name + " (off)";
  if (state == "expired") return name + " (expired)";
  return state == "used_up" ? name + " (used up)" : name;
}

// A rule's actions, in words: its members but those that say when.
std::string actions_of(const Json& rule) {
  std::string out;
  if (!rule.is_object()) return out;
  for (const auto& [name, value] : rule.items()) {
    if (std::ranges::find(kNoActions, name) != std::end(kNoActions)) continue;
    std::string text = value.is_string() ? value.get<std::string>() : to_line(value);
    if (name == "respond") text = to_line(member(value, "status"));
    out += (out.empty() ? "" : ", ") + name + " " + harmless(text);
  }
  return out;
}

std::string list_names(const Json& answer) {
  std::string out;
  const Json& names = member(answer, "names");
  if (!names.is_array()) return out;
  for (const Json& name : names)
    if (name.is_string()) out += (out.empty() ? "" : ", ") + harmless(name.get_ref<const std::string&>());
  return out;
}

Result<void> add_limits(Json& rule, const Parsed& parsed) {
  for (const char* name : {"attempts", "for"})
    if (auto value = parsed.last("--" + std::string(name))) rule[name] = *value;
  for (const auto& [option, name] :
       {std::pair{"--times", "times"}, {"--every", "every"}, {"--seed", "seed"}, {"--per-minute", "per_minute"}}) {
    if (!parsed.has(option)) continue;
    Result<int> number = number_option(parsed, option);
    if (!number) return fail(number);
    rule[name] = *number;
  }
  std::optional<std::string> text = parsed.last("--probability");
  if (!text) return {};
  double probability = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), probability);
  if (error != std::errc() || end != text->data() + text->size())
    return wrong("--probability: \"" + *text + "\" is no number; write 0.25");
  rule["probability"] = probability;
  return {};
}

int switch_faults(Session& session, bool on) {
  Result<Json> answer = session.api.request("PUT", "/v1/faults", to_line({{"enabled", on}}));
  if (!answer) return session.complain(answer.error());
  session.out << (on ? "rules that inject act again\n"
                     : "rules that inject are off until \"waylay on\"; interception goes on\n");
  return kOk;
}

void print_warnings(Session& session, const Json& warnings, bool json) {
  if (json) {
    session.out << to_line(warnings) << "\n";
    return;
  }
  if (warnings.empty()) session.out << "no warnings\n";
  for (const Json& warning : warnings)
    session.out << text(warning, "origin") << ": " << session.terminal.paint(Color::Yellow, text(warning, "rule"))
                << ": " << text(warning, "fact") << "\n    " << text(warning, "fix") << "\n";
}

}  // namespace

Result<Json> rule_of(const Parsed& parsed) {
  Json rule = {{"name", parsed.arguments[0]}, {"match", parsed.last("--match").value_or("")}};
  if (parsed.has("--status")) {
    Result<int> status = number_option(parsed, "--status");
    if (!status) return fail(status);
    rule["status"] = *status;
  }
  if (Result<void> added = add_response_edits(rule, parsed); !added) return fail(added);
  Result<Json> request = edits_of(parsed, "-request-header");
  if (!request) return fail(request);
  if (!request->empty()) rule["request_headers"] = *request;
  if (auto delay = parsed.last("--delay")) rule["delay"] = *delay;
  if (parsed.has("--abort")) rule["abort"] = "rst";
  if (parsed.has("--keep-messages")) rule["keep_messages"] = true;
  if (auto fault = parsed.last("--fault")) rule["fault"] = *fault;
  if (Result<void> added = add_limits(rule, parsed); !added) return fail(added);
  return rule;
}

int rules_add(Session& session, const Parsed& parsed) {
  Result<Json> rule = rule_of(parsed);
  if (!rule) return session.complain(rule.error());
  Result<Json> answer = session.api.request("POST", "/v1/rules?origin=waylay%20rules%20add", to_line(*rule));
  if (!answer) return session.complain(answer.error());
  session.out << "added " << list_names(*answer) << "\n";
  return kOk;
}

int rules_list(Session& session, const Parsed& parsed) {
  Result<Json> answer = session.api.get("/v1/rules");
  if (!answer) return session.complain(answer.error());
  const Json& rules = member(*answer, "rules");
  if (parsed.has("--json")) {
    session.out << to_line(rules.is_array() ? rules : Json::array()) << "\n";
    return kOk;
  }
  if (rules.empty()) {
    session.out << "there are no rules\n";
    return kOk;
  }
  Table table({"NAME", "HITS", "LEFT", "LIVES", "FROM", "ACTION", "LIMITS", "MATCH"});
  table.align_right(1);
  table.align_right(2);
  for (const Json& rule : rules) {
    const Json& inner = member(rule, "rule");
    const Json& left = member(rule, "times_left");
    table.add({name_of(rule), to_line(member(rule, "hits")), left.is_number() ? to_line(left) : "-", life_of(rule),
               text(rule, "origin"), actions_of(inner), limits_of(rule), text(inner, "match")});
  }
  session.out << table.text(session.terminal);
  return kOk;
}

int rules_lint(Session& session, const Parsed& parsed) {
  Json warnings = Json::array();
  auto take = [&](const Result<Json>& answer) {
    if (answer)
      for (const Json& warning : member(*answer, "warnings")) warnings.push_back(warning);
    return answer.has_value();
  };
  if (parsed.arguments.empty()) {
    Result<Json> answer = session.api.get("/v1/lint");
    if (!take(answer)) return session.complain(answer.error());
  }
  if (!parsed.arguments.empty()) {
    Result<std::string> files = rules_in_files(parsed.arguments);
    if (!files) return session.complain(files.error());
    Result<Json> answer = session.api.request("POST", "/v1/lint", *files);
    if (!take(answer)) return session.complain(answer.error());
  }
  print_warnings(session, warnings, parsed.has("--json"));
  return parsed.has("--strict") && !warnings.empty() ? kRefused : kOk;
}

int rules_faults(Session& session, const Parsed& parsed) {
  Result<Json> answer = session.api.get("/v1/faults");
  if (!answer) return session.complain(answer.error());
  const Json& profiles = member(*answer, "profiles");
  if (parsed.has("--json")) {
    session.out << to_line(profiles) << "\n";
    return kOk;
  }
  Table table({"NAME", "WHAT THE SERVICE ANSWERS"});
  for (const Json& profile : profiles) table.add({text(profile, "name"), text(profile, "documentation")});
  session.out << table.text(session.terminal);
  return kOk;
}

int switch_off(Session& session, const Parsed&) {
  return switch_faults(session, false);
}

int switch_on(Session& session, const Parsed&) {
  return switch_faults(session, true);
}

int rules_remove(Session& session, const Parsed& parsed) {
  if (parsed.has("--all") == !parsed.arguments.empty()) return session.misused("rules remove needs a NAME, or --all");
  std::string target = "/v1/rules";
  if (!parsed.has("--all")) target += "/" + percent_encode(parsed.arguments[0]);
  Result<Json> answer = session.api.request("DELETE", target);
  if (!answer) return session.complain(answer.error());
  session.out << "removed "
              << (parsed.has("--all") ? to_line(member(*answer, "removed")) + " rules" : parsed.arguments[0]) << "\n";
  return kOk;
}

}  // namespace waylay::cli
