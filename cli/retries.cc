#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/describe.h"
#include "cli/json.h"
#include "cli/queries.h"
#include "cli/session.h"

namespace waylay::cli {
namespace {

std::string count(const Json& json, std::string_view key) {
  return std::to_string(static_cast<uint64_t>(number(json, key)));
}

std::string either(const std::string& first, const std::string& second) {
  return first.empty() ? second : first;
}

void print_summary(Session& session, const Json& rows) {
  Table table({"SERVICE", "OPERATION", "CALLS", "RETRIED", "RETRIES", "FAILED", "INJECTED", "ORGANIC", "TIME LOST",
               "MEDIAN", "MOST"});
  for (size_t column = 2; column < 11; ++column) table.align_right(column);
  for (const Json& row : rows) {
    const Json& lost = member(row, "lost_ms");
    table.add({either(text(row, "service"), text(row, "host")), either(text(row, "operation"), "-"),
               count(row, "calls"), count(row, "retried"), count(row, "retries"), count(row, "lost"),
               count(row, "injected_failures"), count(row, "organic_failures"), human_duration(number(lost, "total")),
               human_duration(number(lost, "p50")), human_duration(number(lost, "max"))});
  }
  if (!table.empty()) session.out << table.text(session.terminal);
}

void print_findings(Session& session, const Json& findings) {
  if (findings.empty()) return;
  session.out << "\n" << session.terminal.paint(Color::Bold, "Findings") << "\n";
  for (const Json& finding : findings)
    if (finding.is_string()) session.out << "  " << harmless(finding.get_ref<const std::string&>()) << "\n";
}

std::string client_of(const Json& call) {
  std::string out = text(call, "sdk");
  for (const char* key : {"sdk_version", "retry_mode"})
    if (std::string value = text(call, key); !value.empty()) out += (out.empty() ? "" : " ") + value;
  return out;
}

std::string attempt_line(const Json& attempt, const Terminal& terminal, size_t position) {
  double number_said = number(attempt, "number");
  std::string name = "#" + std::to_string(number_said > 0 ? static_cast<size_t>(number_said) : position + 1);
  int status = static_cast<int>(number(attempt, "status"));
  std::string result = text(attempt, "result"), why;
  if (result == "failed")
    why = flag(attempt, "injected") ? "injected by " + text(attempt, "rules") + " (" + text(attempt, "what") + ")"
                                    : "organic";
  if (std::string error = text(attempt, "error"); !error.empty()) why += (why.empty() ? "" : ", ") + error;
  if (status == 0 && why.find(text(attempt, "end")) == std::string::npos) why += ", " + text(attempt, "end");
  std::string gap = number(attempt, "gap_ms") > 0 ? "after " + human_duration(number(attempt, "gap_ms")) : "";
  Color color = flag(attempt, "injected") ? Color::Magenta : result == "failed" ? Color::Red : Color::Plain;
  return "    " + pad(name, 4) + pad(status > 0 ? std::to_string(status) : "-", 5) +
         pad_left(human_duration(number(attempt, "duration_ms")), 9) + "  " + pad(gap, 15) + "  exchange " +
         pad(to_line(member(attempt, "exchange")), 6) + "  " + terminal.paint(color, why);
}

void print_call(Session& session, const Json& call) {
  const Json& attempts = member(call, "attempts");
  if (!attempts.is_array()) return;
  std::string what = text(call, "service").empty()
                         ? text(call, "method") + " " + text(call, "host") + text(call, "path")
                         : text(call, "service") + " " + text(call, "operation");
  std::string outcome = text(call, "outcome") + " after " + std::to_string(attempts.size()) +
                        (attempts.size() == 1 ? " attempt" : " attempts");
  if (number(call, "lost_ms") > 0) outcome += ", " + human_duration(number(call, "lost_ms")) + " lost";
  session.out << "  " << human_time(text(call, "time"), session.now_s()) << "  "
              << session.terminal.paint(Color::Bold, what) << "  " << who(call);
  if (std::string client = client_of(call); !client.empty()) session.out << "  " << client;
  if (flag(call, "inferred")) session.out << "  (inferred)";
  session.out << "  " << outcome << "\n";
  for (size_t i = 0; i < attempts.size(); ++i) session.out << attempt_line(attempts[i], session.terminal, i) << "\n";
}

// Only what went wrong somewhere: the rest is in the summary.
bool is_worth_showing(const Json& call) {
  return number(call, "retries") > 0 || number(call, "injected_failures") > 0 || number(call, "organic_failures") > 0;
}

}  // namespace

int retries(Session& session, const Parsed& parsed) {
  Result<std::string> query = query_of(parsed, "10000");
  if (!query) return session.complain(query.error());
  Result<Json> answer = session.api.get("/v1/retries" + *query);
  if (!answer) return session.complain(answer.error());
  const Json& calls = member(*answer, "invocations");
  if (parsed.has("--json")) {
    for (const Json& call : calls) session.out << to_line(call) << "\n";
    return kOk;
  }
  if (calls.empty()) {
    session.out << "no call was retried, and no AWS call was seen\n";
    return kOk;
  }
  print_summary(session, member(*answer, "summary"));
  print_findings(session, member(*answer, "findings"));
  bool titled = false;
  for (const Json& call : calls) {
    if (!is_worth_showing(call)) continue;
    if (!titled)
      session.out << "\n" << session.terminal.paint(Color::Bold, "Calls that failed or were retried") << "\n";
    titled = true;
    print_call(session, call);
  }
  return kOk;
}

}  // namespace waylay::cli
