#include <charconv>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/describe.h"
#include "cli/json.h"
#include "cli/queries.h"
#include "cli/session.h"

namespace waylay::cli {
namespace {

// What the daemon was too fast for us to read.
std::string gap_line(const Json& event) {
  return "waylay: " + to_line(member(event, "lost")) + " lines were lost: this terminal was too slow";
}

bool print_event(Session& session, std::string_view line, bool json) {
  if (json) {
    session.out << line << "\n";
  } else {
    Json event = parse(line);
    if (text(event, "type") == "gap") {
      session.errors << gap_line(event) << "\n";
    } else {
      session.out << flow_line(event, session.terminal, session.now_s()) << "\n";
    }
  }
  session.out.flush();
  return session.out.good();
}

int list(Session& session, const std::string& query, bool json) {
  Result<Json> answer = session.api.get("/v1/exchanges" + query);
  if (!answer) return session.complain(answer.error());
  const Json& events = member(*answer, "exchanges");
  if (!events.is_array()) return kOk;
  if (events.empty() && !json)
    session.errors << "waylay: nothing was seen yet; \"waylay status\" shows what is attached\n";
  if (!events.empty() && !json) session.out << flow_title(session.terminal) << "\n";
  for (const Json& event : events)
    session.out << (json ? to_line(event) : flow_line(event, session.terminal, session.now_s())) << "\n";
  return kOk;
}

}  // namespace

Result<std::string> query_of(const Parsed& parsed, std::string_view usual_limit, std::string_view more) {
  std::string query = "?" + std::string(more);
  auto append = [&query](std::string_view name, std::string_view value) {
    if (query.size() > 1) query += '&';
    query.append(name).append("=").append(percent_encode(value));
  };
  std::string limit = parsed.last("--limit").value_or(std::string(usual_limit));
  unsigned number = 0;
  auto [end, code] = std::from_chars(limit.data(), limit.data() + limit.size(), number);
  if (code != std::errc() || end != limit.data() + limit.size())
    return fail(Error::local(ErrorKind::Invalid, "--limit: \"" + limit + "\" is no number"));
  append("limit", limit);
  if (std::optional<std::string> match = parsed.last("--match")) append("match", *match);
  return query;
}

int flows(Session& session, const Parsed& parsed) {
  bool follow = parsed.has("--follow"), json = parsed.has("--json");
  Result<std::string> query = query_of(parsed, follow ? "10" : "1000",
                                       follow ? "connections=true&messages=true&follow=true" : "connections=true");
  if (!query) return session.complain(query.error());
  if (!follow) return list(session, *query, json);
  if (!json) session.out << flow_title(session.terminal) << std::endl;
  Result<void> followed = session.api.follow("/v1/exchanges" + *query,
                                             [&](std::string_view line) { return print_event(session, line, json); });
  return followed ? int{kOk} : session.complain(followed.error());
}

}  // namespace waylay::cli
