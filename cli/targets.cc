// attach, detach, trust, ca: what is asked of the warden.
#include <charconv>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/json.h"
#include "cli/session.h"
#include "cli/target_options.h"

namespace waylay::cli {
namespace {

void print_notes(std::ostream& to, const Json& answer) {
  const Json& notes = member(answer, "notes");
  if (!notes.is_array()) return;
  for (const Json& note : notes)
    if (note.is_string()) to << "  " << harmless(note.get_ref<const std::string&>()) << "\n";
}

std::string ports_of(const Json& target) {
  std::string out;
  const Json& ports = member(target, "ports");
  if (!ports.is_array()) return out;
  for (const Json& port : ports) out += (out.empty() ? "" : ", ") + to_line(port);
  return out;
}

}  // namespace

Result<Json> ports_option(const Parsed& parsed) {
  Json ports = Json::array();
  for (const std::string& text : parsed.all("--port")) {
    unsigned port = 0;
    auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (code != std::errc() || end != text.data() + text.size() || port == 0 || port > 65535)
      return fail(Error::local(ErrorKind::Invalid, "--port: \"" + text + "\" is no port (1 to 65535)"));
    ports.push_back(port);
  }
  return ports;
}

int attach(Session& session, const Parsed& parsed) {
  Json request = {{"verb", "attach"}, {"target", parsed.arguments[0]}};
  Result<Json> ports = ports_option(parsed);
  if (!ports) return session.complain(ports.error());
  if (!ports->empty()) request["ports"] = *ports;
  if (parsed.has("--insist")) request["insist"] = true;
  if (parsed.has("--no-trust")) request["trust"] = false;
  if (parsed.has("--tree")) request["tree"] = true;
  if (parsed.has("--redirect-loopback")) request["redirect_loopback"] = true;
  Result<Json> answer = session.warden.ask(request);
  if (!answer) return session.complain(answer.error());
  const Json& target = member(*answer, "target");
  session.out << "attached " << session.terminal.paint(Color::Bold, text(target, "name")) << ", port "
              << ports_of(target) << "\n";
  if (std::string trust = text(target, "trust"); !trust.empty()) session.out << "  " << trust << "\n";
  print_notes(session.out, *answer);
  return kOk;
}

int detach(Session& session, const Parsed& parsed) {
  bool all = parsed.has("--all");
  if (all == !parsed.arguments.empty()) return session.misused("detach needs a TARGET, or --all");
  Json request = {{"verb", "detach"}, {"now", parsed.has("--now")}};
  if (all) {
    request["all"] = true;
  } else {
    request["target"] = parsed.arguments[0];
  }
  Result<Json> answer = session.warden.ask(request);
  if (!answer) return session.complain(answer.error());
  const Json& detached = member(*answer, "detached");
  if (!detached.is_array() || detached.empty()) {
    session.out << "nothing was attached\n";
    return kOk;
  }
  for (const Json& name : detached)
    if (name.is_string()) session.out << "detached " << harmless(name.get_ref<const std::string&>()) << "\n";
  print_notes(session.out, *answer);
  return kOk;
}

int trust(Session& session, const Parsed& parsed) {
  Json request = {{"verb", "trust"}};
  if (!parsed.arguments.empty()) request["target"] = parsed.arguments[0];
  Result<Json> answer = session.warden.ask(request);
  if (!answer) return session.complain(answer.error());
  if (!parsed.arguments.empty()) {
    session.out << text(*answer, "summary") << "\n";
    print_notes(session.out, *answer);
    return kOk;
  }
  session.out << "CA certificate:            " << text(*answer, "ca") << "\n"
              << "with the system's roots:   " << text(*answer, "bundle") << "\n"
              << "Environment variables that make most clients trust it:\n";
  const Json& environment = member(*answer, "environment");
  if (!environment.is_object()) return kOk;
  for (const auto& [name, value] : environment.items())
    if (value.is_string())
      session.out << "  " << harmless(name) << "=" << harmless(value.get_ref<const std::string&>()) << "\n";
  return kOk;
}

int print_ca(Session& session, const Parsed&) {
  Result<Json> answer = session.warden.ask({{"verb", "ca"}});
  if (!answer) return session.complain(answer.error());
  const Json& pem = member(*answer, "pem");
  if (pem.is_string()) session.out << pem.get_ref<const std::string&>();
  return kOk;
}

}  // namespace waylay::cli
