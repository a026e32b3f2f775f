#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/json.h"
#include "cli/session.h"

namespace waylay::cli {
namespace {

std::string spoken(std::string_view name) {
  std::string out = harmless(name);
  std::replace(out.begin(), out.end(), '_', ' ');
  return out;
}

// "redirected 7, bypassed 1"; what is zero is left out, unless it is what people look for.
std::string counts_in_words(const Json& counts) {
  std::string out;
  if (!counts.is_object()) return out;
  for (const auto& [name, value] : counts.items()) {
    bool expected = name == "redirected" || name == "bypassed" || name == "intercepted" || name == "passed_through";
    if (!value.is_number() || (value == 0 && !expected)) continue;
    out += (out.empty() ? "" : ", ") + spoken(name) + " " + to_line(value);
  }
  return out;
}

// What the warden knows beside: that a container was restarted since, and is not intercepted.
std::string note_of(const Json& warden, const Json& target) {
  const Json& listed = member(warden, "targets");
  if (!listed.is_array()) return "";
  for (const Json& other : listed)
    if (member(other, "id") == member(target, "id")) return text(other, "note");
  return "";
}

void print_target(Session& session, const Json& target, const Json& warden) {
  bool attached = flag(target, "attached");
  session.out << session.terminal.paint(attached ? Color::Green : Color::Dim, attached ? "attached" : "ended   ")
              << "  " << session.terminal.paint(Color::Bold, text(target, "name"));
  if (std::string since = text(target, "attached_at"); !since.empty() && attached)
    session.out << "  since " << human_time(since, session.now_s());
  if (!attached)
    session.out << "  " << human_time(text(target, "ended_at"), session.now_s()) << "  " << text(target, "ended");
  session.out << "\n";
  auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) session.out << "  " << session.terminal.paint(Color::Dim, pad(name, 12)) << value << "\n";
  };
  if (std::string note = note_of(warden, target); !note.empty())
    line("note", session.terminal.paint(Color::Yellow, note));
  line("kernel", counts_in_words(member(target, "kernel")));
  line("connections", counts_in_words(member(target, "connections")));
  const Json& reasons = member(target, "reasons");
  if (reasons.is_object())
    for (const auto& [reason, count] : reasons.items()) line("", to_line(count) + " \u00d7 " + harmless(reason));
  if (!attached) return;
  if (flag(target, "insist")) line("insist", "clients that refuse our certificate are not passed through");
  line("trust", text(target, "trust"));
}

void print_status(Session& session, const Json& status, const Json& warden) {
  session.out << "waylayd " << text(status, "version") << ", since "
              << human_time(text(status, "started"), session.now_s()) << ", " << to_line(member(status, "workers"))
              << " workers";
  if (std::string listen = text(status, "listen"); !listen.empty()) session.out << ", listening on " << listen;
  const Json& store = member(status, "store");
  session.out << "\n"
              << to_line(member(member(status, "rules"), "count")) << " rules; " << to_line(member(store, "exchanges"))
              << " exchanges kept (" << human_size(static_cast<uint64_t>(number(store, "bytes"))) << "), "
              << to_line(member(store, "dropped")) << " older ones dropped\n";
  const Json& faults = member(member(status, "rules"), "faults");
  if (faults.is_boolean() && !faults.get<bool>())
    session.out << session.terminal.paint(Color::Yellow, "rules that inject are off, until \"waylay on\"") << "\n";
  if (double refusals = number(status, "learned_refusals"); refusals > 0)
    session.out << session.terminal.paint(Color::Yellow,
                                          to_line(member(status, "learned_refusals")) +
                                              " clients refused our certificate and are passed through for ten minutes "
                                              "(attach --insist turns that off)")
                << "\n";
  const Json& notices = member(status, "notices");
  if (notices.is_array())
    for (const Json& notice : notices)
      if (notice.is_string()) session.out << "note: " << harmless(notice.get_ref<const std::string&>()) << "\n";
  const Json& targets = member(status, "targets");
  if (!targets.is_array() || targets.empty()) {
    session.out << "\nNothing is attached. Try: waylay attach CONTAINER\n";
    return;
  }
  constexpr size_t kEndedShown = 5;
  size_t ended = 0;
  for (const Json& target : targets) {
    if (!flag(target, "attached") && ++ended > kEndedShown) continue;
    session.out << "\n";
    print_target(session, target, warden);
  }
  if (ended > kEndedShown) session.out << "\n" << ended - kEndedShown << " more have ended; --json shows them\n";
}

}  // namespace

int status(Session& session, const Parsed& parsed) {
  Result<Json> answer = session.api.get("/v1/status");
  if (!answer) return session.complain(answer.error());
  Result<Json> warden = session.warden.ask({{"verb", "targets"}});
  Json known = warden ? *warden : Json();
  if (!parsed.has("--json")) {
    print_status(session, *answer, known);
    return kOk;
  }
  Json& targets = (*answer)["targets"];
  for (Json& target : targets)
    if (std::string note = note_of(known, target); !note.empty()) target["note"] = note;
  session.out << to_line(*answer) << "\n";
  return kOk;
}

}  // namespace waylay::cli
