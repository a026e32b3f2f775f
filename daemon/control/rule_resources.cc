#include "control/rule_resources.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "aws/profile.h"
#include "control/answers.h"
#include "control/dry_run.h"
#include "control/hold.h"
#include "control/sent_rules.h"

namespace waylay::control {
namespace {

rules::By by(const Request& request) {
  return {now(), request.peer};
}

Response named(const Result<Names>& names, int status) {
  if (!names) return error_response(names.error());
  return json_response({{"names", *names}}, status);
}

Response refused(std::string message) {
  return error_response(Error::local(ErrorKind::Invalid, std::move(message)));
}

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
  SentRules sent(request);
  return named(context.backend.add_rules(sent.documents(), by(request)), 201);
}

Response put_rules(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {"origin"}); !known) return error_response(known.error());
  SentRules sent(request);
  return named(context.backend.replace_rules(sent.documents(), by(request)), 200);
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
  if (Result<void> known = check_parameters(request, {"origin"}); !known) return error_response(known.error());
  SentRules sent(request);
  return difference_or_error(context.backend.rules_difference(sent.documents()));
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

// --- what rules would do, and will not

Response post_dry_run(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {"origin", "live"}); !known) return error_response(known.error());
  Result<bool> live = boolean_parameter(request, "live");
  if (!live) return error_response(live.error());
  SentRules sent(request);
  Result<std::unique_ptr<Trial>> trial = context.backend.try_rules(sent.documents());
  if (!trial) return error_response(trial.error());
  if (!*live) {
    for (const auto& exchange : context.backend.exchanges({}, SIZE_MAX)) (*trial)->see(*exchange);
    return raw_json((*trial)->report());
  }
  Response response;
  response.content_type = "application/x-ndjson";
  auto subscription = std::make_unique<Subscription>(context.feed, match::Expression(), Beside{});
  response.source = std::make_unique<DryRunSource>(std::move(subscription), std::move(*trial));
  return response;
}

Response get_lint(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  return raw_json("warnings", context.backend.lint());
}

Response post_lint(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {"origin"}); !known) return error_response(known.error());
  SentRules sent(request);
  Result<std::string> warnings = context.backend.lint(sent.documents());
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
  SentRules sent(request);
  Result<std::unique_ptr<HoldSource>> hold = HoldSource::begin(context, sent.documents(), by(request));
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
  SentRules sent(request);
  return named(
      context.backend.begin_rule_group(rules::Source::Scenario, request.path.back(), sent.documents(), by(request)),
      201);
}

Response delete_scenario(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  Result<size_t> removed = context.backend.end_rule_group(rules::Source::Scenario, request.path.back(), by(request));
  return removed ? json_response({{"removed", *removed}}) : error_response(removed.error());
}

}  // namespace waylay::control
