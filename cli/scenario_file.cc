#include "cli/scenario_file.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/nearest.h"
#include "cli/rule_file.h"

namespace waylay::cli {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> wrong(std::string message) {
  return fail(Error::local(ErrorKind::Invalid, std::move(message)));
}

bool is_text(const Json& json, std::string_view key) {
  return member(json, key).is_string();
}

bool is_parameter(const Json& json) {
  const Json& value = member(json, "value");
  return is_text(json, "name") && is_text(json, "meaning") && (value.is_string() || value.is_number());
}

bool is_scenario(const Json& json) {
  const Json& parameters = member(json, "parameters");
  return is_text(json, "name") && is_text(json, "description") && member(json, "rules").is_array() &&
         parameters.is_array() && std::ranges::all_of(parameters, is_parameter);
}

std::string in_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : to_line(value);
}

// "${name}" in a text becomes the value.
void replace_all(std::string& text, const std::string& name, const std::string& value) {
  std::string mark = "${" + name + "}";
  for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
    text.replace(at, mark.size(), value);
}

using Values = std::map<std::string, Json>;

Json filled(const Json& json, const Values& values) {
  if (json.is_structured()) {
    Json out = json;
    for (auto item = out.begin(); item != out.end(); ++item) *item = filled(*item, values);
    return out;
  }
  if (!json.is_string()) return json;
  std::string text = json.get<std::string>();
  for (const auto& [name, value] : values) {
    if (text == "${" + name + "}") return value;
    replace_all(text, name, in_text(value));
  }
  return text;
}

Result<Json> value_of(const Scenario::Parameter& parameter, const std::string& given) {
  if (parameter.value.is_string()) return Json(given);
  Json number = parse(given);
  if (number.is_number()) return number;
  return wrong("\"" + given + "\" is no number: " + parameter.name + " is " + parameter.meaning + ", such as " +
               to_line(parameter.value));
}

}  // namespace

Result<Json> Scenario::rules_with(const std::map<std::string, std::string>& given) const {
  Values values;
  std::vector<std::string_view> names;
  for (const Parameter& parameter : parameters) {
    values[parameter.name] = parameter.value;
    names.push_back(parameter.name);
  }
  for (const auto& [key, text] : given) {
    auto parameter = std::ranges::find(parameters, key, &Parameter::name);
    if (parameter == parameters.end())
      return wrong("the scenario " + name + " has no parameter \"" + key + "\"" + did_you_mean(key, names) +
                   "; \"waylay scenarios show " + name + "\" lists them");
    Result<Json> value = value_of(*parameter, text);
    if (!value) return fail(value);
    values[key] = std::move(*value);
  }
  return filled(rules, values);
}

Result<Scenario> read_scenario(const std::string& path) {
  Result<std::string> contents = read_file(path, kMaximumRuleFile);
  if (!contents) return fail(contents);
  Json json = Json::parse(*contents, nullptr, false, true);
  if (json.is_discarded() || !is_scenario(json))
    return wrong(path + " is no scenario: an object with name, description, parameters and rules");
  Scenario scenario{path, text(json, "name"), text(json, "description"), {}, member(json, "rules")};
  for (const Json& parameter : member(json, "parameters"))
    scenario.parameters.push_back({text(parameter, "name"), text(parameter, "meaning"), member(parameter, "value")});
  return scenario;
}

std::string scenario_directory() {
  std::error_code error;
  fs::path program = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const char* place : {"../share/waylay/scenarios", "../../scenarios"})
    if (fs::path directory = (program / place).lexically_normal(); fs::is_directory(directory, error))
      return directory.string();
  return "/usr/share/waylay/scenarios";
}

Result<std::vector<Scenario>> read_scenarios(const std::string& directory) {
  std::vector<Scenario> scenarios;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    if (entry.path().extension() != ".json") continue;
    Result<Scenario> scenario = read_scenario(entry.path().string());
    if (!scenario) return fail(scenario);
    scenarios.push_back(std::move(*scenario));
  }
  if (error) return wrong("reading the scenarios in " + directory + ": " + error.message());
  std::ranges::sort(scenarios, {}, &Scenario::name);
  return scenarios;
}

Result<Scenario> find_scenario(const std::string& name) {
  if (name.find('/') != std::string::npos || name.ends_with(".json")) return read_scenario(name);
  Result<std::vector<Scenario>> all = read_scenarios(scenario_directory());
  if (!all) return fail(all);
  auto found = std::ranges::find(*all, name, &Scenario::name);
  if (found != all->end()) return std::move(*found);
  std::vector<std::string_view> names;
  for (const Scenario& each : *all) names.push_back(each.name);
  return wrong("there is no scenario \"" + name + "\"" + did_you_mean(name, names) +
               "; \"waylay scenarios\" lists them");
}

}  // namespace waylay::cli
