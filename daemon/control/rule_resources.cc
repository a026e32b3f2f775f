#include "control/rule_resources.h"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "aws/profile.h"
#include "control/answers.h"
#include "control/hold.h"

namespace waylay::control {
namespace {

rules::By by(const Request& request) {
  return {now(), request.peer};
}

// How errors name the rules that were sent: a file's name, when a tool says it.
std::string origin_of(const Request& request) {
  auto found = request.query.find("origin");
  return found == request.query.end() || found->second.empty() ? "api" : found->second;
}

Response named(const Result<std::vector<std::string>>& names, int status) {
  if (!names) return error_response(names.error());
  return json_response({{"names", *names}}, status);
}

Response refused(std::string message) {
  return error_response(Error::local(ErrorKind::Invalid, std::move(message)));
}

// Several files at once: {"files": [{"name": "a.json", "text": "..."}]}. Errors name the file, and the place in its
// text.
struct Files {
  struct File {
    std::string name, text;
  };
  std::vector<File> files;
  bool replace = false;

  std::vector<rules::Document> documents() const {
    std::vector<rules::Document> all;
    for (const File& file : files) all.push_back({file.text, file.name});
    return all;
  }
};

std::optional<Files::File> file_in(const Json& json) {
  if (!json.is_object() || json.size() != 2 || !json.contains("name") || !json.contains("text")) return std::nullopt;
  const Json &name = json["name"], &text = json["text"];
  if (!name.is_string() || !text.is_string()) return std::nullopt;
  return Files::File{name.get<std::string>(), text.get<std::string>()};
}

// Nothing: it is not that.
std::optional<Files> files_in(const std::string& body) {
  Json json = Json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("files") || !json["files"].is_array()) return std::nullopt;
  Files found;
  for (const auto& [key, value] : json.items()) {
    if (key == "replace" && value.is_boolean())
      found.replace = value.get<bool>();
    else if (key != "files")
      return std::nullopt;
  }
  for (const Json& each : json["files"]) {
    std::optional<Files::File> file = file_in(each);
    if (!file) return std::nullopt;
    found.files.push_back(std::move(*file));
  }
  return found;
}

constexpr std::string_view kFilesExpected =
    "the body must be {\"files\": [{\"name\": \"a.json\", \"text\": \"...\"}]}, and may have \"replace\": true";

Result<uint64_t> version_parameter(const Request& request, const std::string& name) {
  auto found = request.query.find(name);
  if (found == request.query.end()) return uint64_t{0};
  const std::string& text = found->second;
  uint64_t number = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code == std::errc() && end == text.data() + text.size() && number > 0) return number;
  return fail(
      Error::local(ErrorKind::Invalid, "the parameter " + name + " is the number of a version, not \"" + text + "\""));
}

Response difference_or_error(Result<std::string> difference) {
  return difference ? raw_json(std::move(*difference)) : error_response(difference.error());
}

Json faults_to_json(const Backend& backend) {
  Json profiles = Json::array();
  for (const aws::Profile& profile : aws::profiles())
    profiles.push_back({{"name", "aws:" + std::string(profile.name)}, {"documentation", profile.documentation}});
  return {{"enabled", backend.faults()}, {"profiles", std::move(profiles)}};
}

}  // namespace

// --- rules

Response get_rules(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  return raw_json("rules", context.backend.rules());
}

Response post_rules(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {"origin"}); !known) return error_response(known.error());
  std::string origin = origin_of(request);
  return named(context.backend.add_rules(std::array{rules::Document{request.body, origin}}, by(request)), 201);
}

Response put_rules(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {"origin"}); !known) return error_response(known.error());
  std::string origin = origin_of(request);
  return named(context.backend.replace_rules(std::array{rules::Document{request.body, origin}}, by(request)), 200);
}

Response delete_rules(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  return json_response({{"removed", context.backend.remove_all_rules(by(request))}});
}

Response delete_rule(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  if (Result<void> removed = context.backend.remove_rule(request.path.back(), by(request)); !removed)
    return error_response(removed.error());
  return json_response({{"removed", 1}});
}

// --- files and versions

Response post_load(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  std::optional<Files> files = files_in(request.body);
  if (!files) return refused(std::string(kFilesExpected));
  std::vector<rules::Document> documents = files->documents();
  return named(files->replace ? context.backend.replace_rules(documents, by(request))
                              : context.backend.add_rules(documents, by(request)),
               200);
}

Response post_reload(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  Result<size_t> loaded = context.backend.reload_rules(by(request));
  return loaded ? json_response({{"rules", *loaded}}) : error_response(loaded.error());
}

Response get_history(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  return raw_json("versions", context.backend.rules_history());
}

// Between two versions, or, without any, of what lies in rules.d.
Response get_diff(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {"from", "to"}); !known) return error_response(known.error());
  Result<uint64_t> from = version_parameter(request, "from"), to = version_parameter(request, "to");
  if (!from) return error_response(from.error());
  if (!to) return error_response(to.error());
  if (*from == 0 && *to == 0) return difference_or_error(context.backend.rules_difference());
  if (*from == 0) return refused("the parameter from is needed: what the version in to is compared with");
  return difference_or_error(context.backend.rules_difference(*from, *to));
}

Response post_diff(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  std::optional<Files> files = files_in(request.body);
  if (!files || files->replace)
    return refused("the body must be {\"files\": [{\"name\": \"a.json\", \"text\": \"...\"}]}");
  return difference_or_error(context.backend.rules_difference(files->documents()));
}

Response post_rollback(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  Json wish = Json::parse(request.body, nullptr, false);
  bool understood =
      wish.is_object() && wish.size() == 1 && wish.contains("version") && wish["version"].is_number_unsigned();
  if (!understood) return refused("the body must be {\"version\": N}; GET /v1/history lists the versions");
  Result<std::string> what = context.backend.rollback_rules(wish["version"].get<uint64_t>(), by(request));
  return what ? json_response({{"what", *what}}) : error_response(what.error());
}

// --- lint and faults

Response get_lint(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  return raw_json("warnings", context.backend.lint());
}

Response post_lint(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {"origin"}); !known) return error_response(known.error());
  Result<std::string> warnings = context.backend.lint(request.body, origin_of(request));
  return warnings ? raw_json("warnings", *warnings) : error_response(warnings.error());
}

Response get_faults(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  return json_response(faults_to_json(context.backend));
}

Response put_faults(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  Json wish = Json::parse(request.body, nullptr, false);
  bool understood = wish.is_object() && wish.size() == 1 && wish.contains("enabled") && wish["enabled"].is_boolean();
  if (!understood) return refused("the body must be {\"enabled\": true} or false");
  context.backend.switch_faults(wish["enabled"].get<bool>(), by(request));
  return json_response(faults_to_json(context.backend));
}

// --- rules of a while

Response post_hold(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {"origin"}); !known) return error_response(known.error());
  std::string origin = origin_of(request);
  Result<std::unique_ptr<HoldSource>> hold =
      HoldSource::begin(context, std::array{rules::Document{request.body, origin}}, by(request));
  if (!hold) return error_response(hold.error());
  Response response;
  response.content_type = "application/x-ndjson";
  response.source = std::move(*hold);
  return response;
}

Response get_scenarios(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  return raw_json("scenarios", context.backend.rule_groups(rules::Source::Scenario));
}

Response post_scenario(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {"origin"}); !known) return error_response(known.error());
  std::string origin = origin_of(request);
  return named(context.backend.begin_rule_group(rules::Source::Scenario, request.path.back(),
                                                std::array{rules::Document{request.body, origin}}, by(request)),
               201);
}

Response delete_scenario(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  Result<size_t> removed = context.backend.end_rule_group(rules::Source::Scenario, request.path.back(), by(request));
  return removed ? json_response({{"removed", *removed}}) : error_response(removed.error());
}

}  // namespace waylay::control
