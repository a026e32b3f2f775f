#include <nlohmann/json.hpp>
#include <ostream>

#include "base/bytes.h"
#include "cli/json.h"
#include "cli/session.h"

namespace waylay::cli {
namespace {

bool is_meant(const Json& field, const std::string& pattern) {
  if (pattern.empty()) return true;
  std::string all =
      text(field, "name") + "\n" + text(field, "documentation") + "\n" + to_line(member(field, "aliases"));
  return to_lower(all).find(to_lower(pattern)) != std::string::npos;
}

std::string name_of(const Json& field) {
  std::string key = text(field, "key");
  return text(field, "name") + (key.empty() ? "" : "[\"" + key + "\"]");
}

std::string documentation_of(const Json& field) {
  std::string out = text(field, "documentation");
  const Json& aliases = member(field, "aliases");
  if (!aliases.is_array() || aliases.empty()) return out;
  std::string names;
  for (const Json& alias : aliases)
    if (alias.is_string()) names += (names.empty() ? "" : ", ") + alias.get<std::string>();
  return out + " Also: " + harmless(names) + ".";
}

}  // namespace

int fields(Session& session, const Parsed& parsed) {
  Result<Json> answer = session.api.get("/v1/fields");
  if (!answer) return session.complain(answer.error());
  std::string pattern = parsed.arguments.empty() ? "" : parsed.arguments[0];
  Table table({"FIELD", "TYPE", "KNOWN AT", "MEANING"});
  bool found = false;
  for (const Json& field : member(*answer, "fields")) {
    if (!is_meant(field, pattern)) continue;
    found = true;
    if (parsed.has("--json")) session.out << to_line(field) << "\n";
    table.add({name_of(field), text(field, "type"), text(field, "known_at"), documentation_of(field)});
  }
  if (!found)
    return session.complain(
        {ErrorKind::NotFound, Side::Upstream, "no field is called or described like \"" + pattern + "\"", 0});
  if (!parsed.has("--json")) session.out << table.text(session.terminal);
  return kOk;
}

}  // namespace waylay::cli
