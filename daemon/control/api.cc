#include "control/api.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "control/answers.h"
#include "control/render.h"
#include "control/rule_resources.h"
#include "control/sources.h"

namespace waylay::control {
namespace {

constexpr size_t kUsualLimit = 100;

Response listed(std::string_view name, std::vector<Event> events) {
  Response response;
  response.source = std::make_unique<ListSource>(name, std::move(events));
  return response;
}

Result<match::Expression> match_parameter(const Request& request) {
  auto found = request.query.find("match");
  return match::Expression::compile(found == request.query.end() ? std::string_view()
                                                                 : std::string_view(found->second));
}

// The number in the path: the last segment.
std::optional<uint64_t> number_in(const Request& request) {
  const std::string& text = request.path.back();
  uint64_t number = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

int64_t time_of(const Event& event) {
  if (const auto* exchange = std::get_if<std::shared_ptr<const flow::ExchangeFacts>>(&event))
    return (*exchange)->started.wall_ns;
  return std::get<std::shared_ptr<const flow::FlowFacts>>(event)->opened.wall_ns;
}

// Exchanges and, if wished, the connections that had none, in the order of their beginning; the newest `limit`.
std::vector<Event> past_events(const Backend& backend, const match::Expression& match, size_t limit, bool connections) {
  std::vector<Event> events;
  if (limit == 0) return events;
  for (auto& exchange : backend.exchanges(match, limit)) events.emplace_back(std::move(exchange));
  if (!connections) return events;
  for (auto& flow : backend.flows(match, limit, true)) events.emplace_back(std::move(flow));
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return time_of(a) < time_of(b); });
  if (events.size() > limit) events.erase(events.begin(), events.end() - static_cast<ptrdiff_t>(limit));
  return events;
}

Response get_status(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  return json_response(to_json(context.backend.status()));
}

Response get_version(Context&, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  return json_response({{"version", WAYLAY_VERSION}, {"api", 1}});
}

Response get_fields(Context&, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  return json_response({{"fields", fields_to_json()}});
}

Response get_flows(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {"match", "limit"}); !known) return error_response(known.error());
  Result<match::Expression> match = match_parameter(request);
  if (!match) return error_response(match.error());
  Result<size_t> limit = limit_parameter(request, kUsualLimit);
  if (!limit) return error_response(limit.error());
  std::vector<Event> events;
  for (auto& flow : context.backend.flows(*match, *limit, false)) events.emplace_back(std::move(flow));
  return listed("flows", std::move(events));
}

Response get_flow(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  std::optional<uint64_t> id = number_in(request);
  auto facts = id ? context.backend.flow(*id) : nullptr;
  return facts ? json_response(to_json(*facts)) : not_found("there is no flow " + request.path.back() + " (any more)");
}

Response follow(Context& context, match::Expression match, size_t limit, Beside beside, std::string_view text) {
  Response response;
  response.content_type = "application/x-ndjson";
  // Subscribe first: what ends between the two is then in at least one of them.
  Result<match::Expression> again = match::Expression::compile(text);
  if (!again) return error_response(again.error());
  auto subscription = std::make_unique<Subscription>(context.feed, std::move(*again), beside);
  std::vector<Event> past = past_events(context.backend, match, limit, beside.connections);
  response.source = std::make_unique<FollowSource>(std::move(subscription), std::move(past));
  return response;
}

Response get_exchanges(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {"match", "limit", "follow", "connections", "messages"}); !known)
    return error_response(known.error());
  Result<match::Expression> match = match_parameter(request);
  if (!match) return error_response(match.error());
  Result<bool> follows = boolean_parameter(request, "follow");
  if (!follows) return error_response(follows.error());
  Result<bool> connections = boolean_parameter(request, "connections");
  if (!connections) return error_response(connections.error());
  Result<bool> messages = boolean_parameter(request, "messages");
  if (!messages) return error_response(messages.error());
  Result<size_t> limit = limit_parameter(request, *follows ? 0 : kUsualLimit);
  if (!limit) return error_response(limit.error());
  if (*follows) {
    std::string text = match->text();
    return follow(context, std::move(*match), *limit, {*connections, *messages}, text);
  }
  return listed("exchanges", past_events(context.backend, *match, *limit, *connections));
}

Response get_exchange(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {}); !known) return error_response(known.error());
  std::optional<uint64_t> id = number_in(request);
  auto facts = id ? context.backend.exchange(*id) : nullptr;
  return facts ? json_response(to_json(*facts))
               : not_found("there is no exchange " + request.path.back() + " (any more)");
}

Response get_retries(Context& context, const Request& request) {
  if (Result<void> known = check_parameters(request, {"match", "limit"}); !known) return error_response(known.error());
  Result<match::Expression> match = match_parameter(request);
  if (!match) return error_response(match.error());
  Result<size_t> limit = limit_parameter(request, kMaximumLimit);
  if (!limit) return error_response(limit.error());
  Response response;
  response.body = context.backend.retries(*match, *limit) + "\n";
  return response;
}

Response get_metrics(Context& context, const Request&) {
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = context.backend.metrics();
  return response;
}

constexpr Route kRoutes[] = {
    {"GET", "/v1/status", get_status, "The daemon and its targets: what was seen, intercepted, passed through and why"},
    {"GET", "/v1/flows", get_flows, "Connections, the newest last"},
    {"GET", "/v1/flows/{id}", get_flow, "One connection"},
    {"GET", "/v1/exchanges", get_exchanges, "HTTP exchanges, the newest last; or a stream that follows them"},
    {"GET", "/v1/exchanges/{id}", get_exchange, "One exchange"},
    {"GET", "/v1/retries", get_retries, "The retry ledger: calls with their attempts"},
    {"GET", "/v1/rules", get_rules, "The rules, with their counters"},
    {"POST", "/v1/rules", post_rules, "Add one rule, or several at once", true},
    {"PUT", "/v1/rules", put_rules, "Replace all rules that came through the API", true},
    {"DELETE", "/v1/rules", delete_rules, "Remove all rules that came through the API", true},
    {"DELETE", "/v1/rules/{name}", delete_rule, "Remove one rule", true},
    {"POST", "/v1/reload", post_reload, "Read the rules in rules.d again", true},
    {"GET", "/v1/history", get_history, "The versions of the rules, the newest first: who changed what, and when"},
    {"GET", "/v1/diff", get_diff, "What changed between two versions, or what reading rules.d again would change"},
    {"POST", "/v1/diff", post_diff,
     "What putting these rules in the place of all that came through the API would change"},
    {"POST", "/v1/rollback", post_rollback, "Bring back the rules of a version", true},
    {"POST", "/v1/dry-run", post_dry_run,
     "What rules would have done to the exchanges on record, or do to those that come"},
    {"POST", "/v1/hold", post_hold, "Rules for as long as this connection lasts; answers when they act", true},
    {"GET", "/v1/scenarios", get_scenarios, "The scenarios that were started"},
    {"POST", "/v1/scenarios/{name}", post_scenario, "Start a scenario with these rules", true},
    {"DELETE", "/v1/scenarios/{name}", delete_scenario, "Stop a scenario: its rules go, and no others", true},
    {"GET", "/v1/lint", get_lint, "What the rules will not do although they seem to"},
    {"POST", "/v1/lint", post_lint, "The same of rules that are sent; they are not added"},
    {"GET", "/v1/faults", get_faults, "Whether rules that inject act, and the faults that they can name"},
    {"PUT", "/v1/faults", put_faults, "Switch all rules that inject off, or on again", true},
    {"GET", "/v1/fields", get_fields, "The fields of the expression language"},
    {"GET", "/v1/version", get_version, "The version of the daemon and of this interface"},
    {"GET", "/metrics", get_metrics, "Counters for Prometheus"},
};

// "/v1/flows/{id}" against {"v1", "flows", "17"}.
bool matches(std::string_view pattern, const std::vector<std::string>& path) {
  for (const std::string& segment : path) {
    if (!pattern.starts_with('/')) return false;
    pattern.remove_prefix(1);
    size_t slash = std::min(pattern.find('/'), pattern.size());
    std::string_view expected = pattern.substr(0, slash);
    bool variable = expected.starts_with('{') && !segment.empty();
    if (!variable && expected != segment) return false;
    pattern.remove_prefix(slash);
  }
  return pattern.empty();
}

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

const Route* find_route(const Request& request, Response& otherwise) {
  std::string allowed;
  for (const Route& route : kRoutes) {
    if (!matches(route.path, request.path)) continue;
    if (route.method == request.method) return &route;
    allowed.append(allowed.empty() ? "" : ", ").append(route.method);
  }
  if (allowed.empty()) {
    otherwise = not_found("there is no such resource; GET /v1/status is one, docs/openapi.json lists them all");
    return nullptr;
  }
  otherwise = error_response(Error::local(ErrorKind::Invalid, "this resource does not take " + request.method));
  otherwise.status = 405;
  otherwise.headers.emplace_back("Allow", allowed);
  return nullptr;
}

Response handle(Context& context, const Request& request) {
  Response response;
  const Route* route = find_route(request, response);
  return route ? route->handle(context, request) : std::move(response);
}

}  // namespace waylay::control
