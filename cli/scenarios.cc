// `waylay scenarios`: the rules come from files that this tool reads; the daemon knows them as a group with a name.
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/json.h"
#include "cli/scenario_file.h"
#include "cli/session.h"

namespace waylay::cli {
namespace {

// What the daemon says of scenarios that were started, by name.
using Running = std::map<std::string, Json>;

Result<Running> running(const Session& session) {
  Result<Json> answer = session.api.get("/v1/scenarios");
  if (!answer) return fail(answer);
  Running groups;
  for (const Json& group : member(*answer, "scenarios")) groups[text(group, "name")] = group;
  return groups;
}

// "runs, 14m 3s left"; "" when it was not started.
std::string state_of(const Running& groups, const std::string& name) {
  auto found = groups.find(name);
  if (found == groups.end()) return "";
  if (flag(found->second, "over")) return "over";
  const Json& left = member(found->second, "seconds_left");
  return left.is_number() ? "runs, " + short_duration(left.get<int64_t>()) + " left" : "runs until stopped";
}

std::string first_sentence(const std::string& description) {
  size_t end = description.find(". ");
  return end == std::string::npos ? description : description.substr(0, end + 1);
}

Result<std::map<std::string, std::string>> given_values(const Parsed& parsed) {
  std::map<std::string, std::string> values;
  for (const char* name : {"match", "for"})
    if (auto value = parsed.last("--" + std::string(name))) values[name] = *value;
  for (const std::string& setting : parsed.all("--set")) {
    size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(Error::local(ErrorKind::Invalid, "--set: \"" + setting + "\" sets nothing; write NAME=VALUE"));
    values[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return values;
}

Json as_json(const Scenario& scenario, const Running& groups) {
  Json parameters = Json::array();
  for (const Scenario::Parameter& parameter : scenario.parameters)
    parameters.push_back({{"name", parameter.name}, {"value", parameter.value}, {"meaning", parameter.meaning}});
  auto found = groups.find(scenario.name);
  return {{"name", scenario.name},
          {"description", scenario.description},
          {"parameters", std::move(parameters)},
          {"rules", scenario.rules},
          {"running", found == groups.end() ? Json() : found->second}};
}

}  // namespace

int scenarios_list(Session& session, const Parsed& parsed) {
  Result<std::vector<Scenario>> scenarios = read_scenarios(scenario_directory());
  if (!scenarios) return session.complain(scenarios.error());
  if (parsed.has("--names")) {
    for (const Scenario& scenario : *scenarios) session.out << scenario.name << "\n";
    return kOk;
  }
  Result<Running> groups = running(session);
  if (!groups) return session.complain(groups.error());
  Json all = Json::array();
  Table table({"NAME", "STATE", "WHAT HAPPENS"});
  for (const Scenario& scenario : *scenarios) {
    all.push_back(as_json(scenario, *groups));
    std::string state = state_of(*groups, scenario.name);
    table.add({scenario.name, state.empty() ? "-" : state, first_sentence(scenario.description)});
    groups->erase(scenario.name);
  }
  for (const auto& [name, group] : *groups) {
    all.push_back({{"name", name}, {"running", group}});
    table.add({name, state_of(*groups, name), "(of a file)"});
  }
  session.out << (parsed.has("--json") ? to_line(all) + "\n" : table.text(session.terminal));
  return kOk;
}

int scenarios_show(Session& session, const Parsed& parsed) {
  Result<Scenario> scenario = find_scenario(parsed.arguments[0]);
  if (!scenario) return session.complain(scenario.error());
  Running groups = running(session).value_or(Running());  // what it is can be told without a daemon
  if (parsed.has("--json")) {
    session.out << to_line(as_json(*scenario, groups)) << "\n";
    return kOk;
  }
  session.out << session.terminal.paint(Color::Bold, scenario->name);
  if (std::string state = state_of(groups, scenario->name); !state.empty()) session.out << "  " << state;
  session.out << "\n\n" << paragraphs(scenario->description);
  Table table({"PARAMETER", "VALUE", "MEANING"});
  for (const Scenario::Parameter& parameter : scenario->parameters)
    table.add({parameter.name,
               harmless(parameter.value.is_string() ? parameter.value.get<std::string>() : to_line(parameter.value)),
               parameter.meaning});
  session.out << table.text(session.terminal) << "\n"
              << harmless(scenario->rules.dump(2, ' ', false, Json::error_handler_t::replace), true) << "\n";
  return kOk;
}

int scenarios_start(Session& session, const Parsed& parsed) {
  Result<Scenario> scenario = find_scenario(parsed.arguments[0]);
  if (!scenario) return session.complain(scenario.error());
  Result<std::map<std::string, std::string>> values = given_values(parsed);
  if (!values) return session.complain(values.error());
  Result<Json> rules = scenario->rules_with(*values);
  if (!rules) return session.complain(rules.error());
  std::string name = percent_encode(scenario->name);
  Result<Json> answer = session.api.request(
      "POST", "/v1/scenarios/" + name + "?origin=" + percent_encode("scenario " + scenario->name), to_line(*rules));
  if (!answer) return session.complain(answer.error());
  Running groups = running(session).value_or(Running());
  session.out << scenario->name << " " << state_of(groups, scenario->name) << "; \"waylay scenarios stop "
              << scenario->name << "\" ends it before\n";
  return kOk;
}

int scenarios_stop(Session& session, const Parsed& parsed) {
  if (parsed.has("--all") == !parsed.arguments.empty()) return session.misused("scenarios stop needs a NAME, or --all");
  std::vector<std::string> names = parsed.arguments;
  if (parsed.has("--all")) {
    Result<Running> groups = running(session);
    if (!groups) return session.complain(groups.error());
    for (const auto& [name, group] : *groups) names.push_back(name);
  }
  for (const std::string& name : names) {
    Result<Json> answer = session.api.request("DELETE", "/v1/scenarios/" + percent_encode(name));
    if (!answer) return session.complain(answer.error());
    session.out << "stopped " << name << ": " << to_line(member(*answer, "removed")) << " rules removed\n";
  }
  return kOk;
}

}  // namespace waylay::cli
