#include "cli/given_rules.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/json.h"
#include "cli/rule_file.h"

namespace waylay::cli {
namespace {

std::unexpected<Error> wrong(std::string message) {
  return fail(Error::local(ErrorKind::Invalid, std::move(message)));
}

bool is_json(const std::string& argument) {
  return argument.starts_with('{') || argument.starts_with('[');
}

bool has_rule_option(const Parsed& parsed) {
  return std::ranges::any_of(rule_options(), [&](const Option& option) { return parsed.has(option.name); });
}

void add_file(Json& files, std::string_view name, std::string text) {
  files.push_back({{"name", name}, {"text", std::move(text)}});
}

Result<void> add_files(Json& files, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    Result<std::string> text = read_rule_file(path);
    if (!text) return fail(text);
    add_file(files, path, std::move(*text));
  }
  return {};
}

}  // namespace

Result<std::string> rules_in_files(const std::vector<std::string>& paths) {
  Json files = Json::array();
  if (Result<void> added = add_files(files, paths); !added) return fail(added);
  return to_line({{"files", std::move(files)}});
}

Result<std::string> given_rules(const Parsed& parsed, std::string_view usual_name) {
  Json files = Json::array();
  std::vector<std::string> names;
  for (const std::string& argument : parsed.arguments) {
    if (is_json(argument))
      add_file(files, "RULE " + std::to_string(files.size() + 1), argument);
    else
      names.push_back(argument);
  }
  if (names.size() > 1) return wrong("\"" + names[1] + "\" is no rule: a rule is JSON, or options with one NAME");
  if (Result<void> added = add_files(files, parsed.all("--file")); !added) return fail(added);
  if (has_rule_option(parsed)) {
    Parsed named = parsed;
    named.arguments = {names.empty() ? std::string(usual_name) : names[0]};
    Result<Json> rule = rule_of(named);
    if (!rule) return fail(rule);
    add_file(files, "options", to_line(*rule));
  } else if (!names.empty()) {
    return wrong("\"" + names[0] +
                 "\" is only a name: say what the rule does, as with \"waylay rules add\", or give JSON or --file");
  }
  if (files.empty()) return wrong("a rule is needed: JSON, --file FILE, or options as with \"waylay rules add\"");
  return to_line({{"files", std::move(files)}});
}

}  // namespace waylay::cli
