// Rules from files, and the versions that the daemon keeps: rules load, diff, history and rollback.
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/given_rules.h"
#include "cli/json.h"
#include "cli/line_diff.h"
#include "cli/session.h"

namespace waylay::cli {
namespace {

std::string pretty(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

void print_lines(Session& session, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    Color color = line[0] == '+' ? Color::Green : line[0] == '-' ? Color::Red : Color::Plain;
    session.out << "  " << session.terminal.paint(color, harmless(line)) << "\n";
  }
}

void print_change(Session& session, std::string_view sign, const Json& change, const std::string& before,
                  const std::string& after) {
  session.out << session.terminal.paint(Color::Bold, std::string(sign) + " " + text(change, "name")) << "\n";
  print_lines(session, line_diff(before, after));
}

// Whether there is any difference.
bool print_difference(Session& session, const Json& difference) {
  const Json &added = member(difference, "added"), &removed = member(difference, "removed"),
             &changed = member(difference, "changed");
  for (const Json& each : removed) print_change(session, "-", each, pretty(member(each, "rule")), "");
  for (const Json& each : added) print_change(session, "+", each, "", pretty(member(each, "rule")));
  for (const Json& each : changed)
    print_change(session, "~", each, pretty(member(each, "before")), pretty(member(each, "after")));
  bool reordered = flag(difference, "reordered");
  if (reordered) session.out << "those in both apply in another order\n";
  return reordered || !added.empty() || !removed.empty() || !changed.empty();
}

std::string names_in(const Json& answer) {
  std::string out;
  for (const Json& name : member(answer, "names"))
    if (name.is_string()) out += (out.empty() ? "" : ", ") + harmless(name.get_ref<const std::string&>());
  return out;
}

int reload(Session& session) {
  Result<Json> answer = session.api.request("POST", "/v1/reload");
  if (!answer) return session.complain(answer.error());
  session.out << "read rules.d again: " << to_line(member(*answer, "rules")) << " rules\n";
  return kOk;
}

Result<Json> difference_asked_for(Session& session, const Parsed& parsed) {
  if (parsed.arguments.empty()) {
    std::string target = "/v1/diff";
    if (auto from = parsed.last("--from")) target += "?from=" + percent_encode(*from);
    if (auto to = parsed.last("--to")) target += (parsed.has("--from") ? "&to=" : "?to=") + percent_encode(*to);
    return session.api.get(target);
  }
  Result<std::string> files = rules_in_files(parsed.arguments);
  if (!files) return fail(files);
  return session.api.request("POST", "/v1/diff", *files);
}

}  // namespace

int rules_load(Session& session, const Parsed& parsed) {
  if (parsed.arguments.empty() && parsed.has("--replace"))
    return session.misused("--replace goes with FILEs; without any, rules.d is read again");
  if (parsed.arguments.empty()) return reload(session);
  Result<std::string> files = rules_in_files(parsed.arguments);
  if (!files) return session.complain(files.error());
  Result<Json> answer = session.api.request(parsed.has("--replace") ? "PUT" : "POST", "/v1/rules", *files);
  if (!answer) {
    int exit = session.complain(answer.error());
    if (answer.error().kind == ErrorKind::Conflict)
      session.errors << "waylay: \"rules load --replace\" takes the place of what was loaded before\n";
    return exit;
  }
  session.out << "loaded " << names_in(*answer) << "\n";
  return kOk;
}

int rules_diff(Session& session, const Parsed& parsed) {
  bool versions = parsed.has("--from") || parsed.has("--to");
  if (versions && !parsed.arguments.empty()) return session.misused("rules diff compares FILEs or versions, not both");
  Result<Json> difference = difference_asked_for(session, parsed);
  if (!difference) return session.complain(difference.error());
  if (parsed.has("--json")) {
    session.out << to_line(*difference) << "\n";
    return kOk;
  }
  if (!print_difference(session, *difference)) session.out << "no difference\n";
  return kOk;
}

int rules_history(Session& session, const Parsed& parsed) {
  Result<Json> answer = session.api.get("/v1/history");
  if (!answer) return session.complain(answer.error());
  const Json& versions = member(*answer, "versions");
  if (parsed.has("--json")) {
    session.out << to_line(versions) << "\n";
    return kOk;
  }
  Table table({"VERSION", "WHEN", "RULES", "WHO", "WHAT"});
  table.align_right(0);
  table.align_right(2);
  for (const Json& version : versions)
    table.add({to_line(member(version, "version")), human_time(text(version, "at"), session.now_s()),
               to_line(member(version, "rules")), text(version, "who"), text(version, "what")});
  session.out << table.text(session.terminal);
  return kOk;
}

int rules_rollback(Session& session, const Parsed& parsed) {
  Json version = parse(parsed.arguments[0]);
  if (!version.is_number_unsigned()) return session.misused("VERSION is a number; \"waylay rules history\" lists them");
  Result<Json> answer = session.api.request("POST", "/v1/rollback", to_line({{"version", version}}));
  if (!answer) return session.complain(answer.error());
  session.out << text(*answer, "what") << "\n";
  Result<Json> lies = session.api.get("/v1/diff");
  if (lies && !(member(*lies, "added").empty() && member(*lies, "removed").empty() && member(*lies, "changed").empty()))
    session.errors << "waylay: the files in rules.d say otherwise (\"waylay rules diff\"), and are read again by "
                      "\"waylay rules load\" and when the daemon starts\n";
  return kOk;
}

}  // namespace waylay::cli
