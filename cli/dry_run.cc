// `waylay rules dry-run`: what rules would have done, without doing it.
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/describe.h"
#include "cli/given_rules.h"
#include "cli/json.h"
#include "cli/session.h"

namespace waylay::cli {
namespace {

using Clock = std::chrono::steady_clock;

bool only_matches(const Parsed& parsed) {
  return parsed.has("--match") && std::ranges::none_of(rule_options(), [&](const Option& option) {
           return option.name != "--match" && parsed.has(option.name);
         });
}

// Rules in force by their names.
Result<std::string> rules_in_force(const Session& session, const std::vector<std::string>& names) {
  Result<Json> answer = session.api.get("/v1/rules");
  if (!answer) return fail(answer);
  Json found = Json::array();
  for (const std::string& name : names) {
    for (const Json& shown : member(*answer, "rules"))
      if (text(shown, "name") == name) found.push_back(member(shown, "rule"));
    if (found.empty() || text(found.back(), "name") != name)
      return fail(Error::local(ErrorKind::Invalid, "there is no rule \"" + name +
                                                       "\" in force: give JSON, --file, --match or what else \"rules "
                                                       "add\" takes"));
  }
  return to_line(found);
}

Result<std::string> rules_to_try(const Session& session, const Parsed& parsed) {
  bool json = !parsed.arguments.empty() && parsed.arguments[0].find_first_of("[{") == 0;
  bool options = std::ranges::any_of(rule_options(), [&](const Option& option) { return parsed.has(option.name); });
  if (!json && !options && !parsed.has("--file") && !parsed.arguments.empty())
    return rules_in_force(session, parsed.arguments);
  if (!only_matches(parsed) || json || parsed.has("--file")) return given_rules(parsed, "dry-run");
  // A rule needs an action; this one puts off nothing that could be matched.
  return to_line({{"name", "dry-run"}, {"match", *parsed.last("--match")}, {"reason", "dry run"}});
}

void print_examples(Session& session, std::string_view title, const Json& ids) {
  if (!ids.is_array() || ids.empty()) return;
  session.out << "  " << title << "\n";
  for (const Json& id : ids)
    if (Result<Json> exchange = session.api.get("/v1/exchanges/" + to_line(id)); exchange)
      session.out << "    " << flow_line(*exchange, session.terminal, session.now_s()) << "\n";
}

std::string joined(const Json& names) {
  std::string out;
  for (const Json& name : names)
    if (name.is_string()) out += (out.empty() ? "" : ", ") + harmless(name.get_ref<const std::string&>());
  return out;
}

void print_report(Session& session, const Json& report) {
  session.out << to_line(member(report, "seen")) << " exchanges looked at";
  if (double lost = number(report, "lost"); lost > 0)
    session.out << ", " << to_line(member(report, "lost")) << " came too fast";
  session.out << "\n";
  for (const Json& rule : member(report, "rules")) {
    session.out << session.terminal.paint(Color::Bold, text(rule, "name")) << ": matched "
                << to_line(member(rule, "matched")) << ", would have acted on " << to_line(member(rule, "would_act"))
                << "\n";
    print_examples(session, "such as", member(rule, "examples"));
    if (number(rule, "unknown") == 0) continue;
    session.out << session.terminal.paint(Color::Yellow, "  " + to_line(member(rule, "unknown")) + " cannot be known")
                << ": " << joined(member(rule, "unknown_fields")) << " is not on record (any more)\n";
    print_examples(session, "such as", member(rule, "unknown_examples"));
  }
}

// "30s", "5m", "1h".
std::optional<int64_t> milliseconds_in(std::string_view text) {
  constexpr std::pair<std::string_view, int64_t> kUnits[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
  int64_t number = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit(end, text.data() + text.size());
  for (const auto& [name, factor] : kUnits)
    if (code == std::errc() && unit == name && number > 0 && number <= 24 * 3'600'000 / factor) return number * factor;
  return std::nullopt;
}

bool readable_before(int descriptor, Clock::time_point end) {
  auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
  pollfd watched{descriptor, POLLIN, 0};
  return left > 0 && ::poll(&watched, 1, static_cast<int>(std::min<int64_t>(left, 1'000'000))) > 0;
}

// The newest report at the end of the time.
Result<Json> watch_live(const Session& session, const std::string& rules, const std::string& time, int64_t time_ms) {
  Result<Stream> stream = session.api.open("POST", "/v1/dry-run?live", rules);
  if (!stream) return fail(stream);
  session.errors << "waylay: counting for " << time << std::endl;
  Clock::time_point end = Clock::now() + std::chrono::milliseconds(time_ms);
  Json report;
  do {
    Result<std::optional<std::string>> line = stream->next_line();
    if (!line) return fail(line);
    if (*line) report = parse(**line);
  } while (readable_before(stream->descriptor(), end));
  return report;
}

}  // namespace

int rules_dry_run(Session& session, const Parsed& parsed) {
  Result<std::string> rules = rules_to_try(session, parsed);
  if (!rules) return session.complain(rules.error());
  std::optional<std::string> live = parsed.last("--live");
  std::optional<int64_t> live_ms = live ? milliseconds_in(*live) : std::nullopt;
  if (live && !live_ms) return session.misused("--live: \"" + *live + "\" is no time; write 30s, 5m or 1h");
  Result<Json> report =
      live ? watch_live(session, *rules, *live, *live_ms) : session.api.request("POST", "/v1/dry-run", *rules);
  if (!report) return session.complain(report.error());
  if (parsed.has("--json"))
    session.out << to_line(*report) << "\n";
  else
    print_report(session, *report);
  return kOk;
}

}  // namespace waylay::cli
