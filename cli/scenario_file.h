// Ready-made scenarios: rules with a name, a description and parameters, in files that are installed with the tool.
//
//     {
//       "name": "talk",
//       "description": "One paragraph: what happens, and what to look for.",
//       "parameters": [
//         {"name": "match", "value": "aws.service == \"s3\"", "meaning": "which requests"},
//         {"name": "for", "value": "15m", "meaning": "how long"},
//         {"name": "rate", "value": 0.3, "meaning": "share of the requests"}
//       ],
//       "rules": [{"name": "talk", "match": "(${match}) and http.response.code == 200", "probability": "${rate}"}]
//     }
//
// "${name}" stands for a parameter's value: as it is where it is the whole text, as text within a longer one. Each has
// the parameters match and for: a scenario is tied to some traffic and to some time.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/json.h"

namespace waylay::cli {

struct Scenario {
  struct Parameter {
    std::string name, meaning;
    Json value;
  };
  std::string path, name, description;
  std::vector<Parameter> parameters;
  Json rules;

  // The rules with these values in the place of the parameters' own. Invalid: no such parameter, or no number where its
  // own value is one.
  Result<Json> rules_with(const std::map<std::string, std::string>& values) const;
};

Result<Scenario> read_scenario(const std::string& path);

// Where the installed ones are: beside the program, or in the source tree that it was built in.
std::string scenario_directory();
// Those in a directory, by name; a file that cannot be read is an error.
Result<std::vector<Scenario>> read_scenarios(const std::string& directory);
// By name, or by the path of a file ("./mine.json").
Result<Scenario> find_scenario(const std::string& name);

}  // namespace waylay::cli
