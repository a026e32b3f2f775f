// `waylay hold`: rules that act while a command runs, or until Ctrl-C. The daemon ties them to our connection: however
// this process ends, they end with it.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/child.h"
#include "cli/given_rules.h"
#include "cli/json.h"
#include "cli/session.h"

namespace waylay::cli {
namespace {

std::string names_in(const Json& line) {
  std::string out;
  for (const Json& name : member(line, "names"))
    if (name.is_string()) out += (out.empty() ? "" : ", ") + harmless(name.get_ref<const std::string&>());
  return out;
}

// Something is to be read behind the one line that a hold has: its end.
bool tell_lost(Session& session, Stream& stream) {
  Result<std::optional<std::string>> line = stream.next_line();
  if (line && *line) return true;
  session.errors << "waylay: waylayd has ended the hold; its rules do not act any more" << std::endl;
  return false;
}

}  // namespace

int hold(Session& session, const Parsed& parsed) {
  Result<std::string> rules = given_rules(parsed, "hold");
  if (!rules) return session.complain(rules.error());
  sigset_t watched = watched_signals(), blocked = watched, former;
  sigaddset(&blocked, SIGPIPE);
  ::sigprocmask(SIG_BLOCK, &blocked, &former);
  Result<Stream> stream = session.api.open("POST", "/v1/hold", *rules);
  if (!stream) return session.complain(stream.error());
  Result<std::optional<std::string>> line = stream->next_line();  // the rules act
  if (!line) return session.complain(line.error());
  std::string names = names_in(parse(line->value_or("")));
  Beside beside{stream->descriptor(), [&] { return tell_lost(session, *stream); }};
  if (parsed.command.empty()) {
    session.errors << "waylay: holding " << names << " until Ctrl-C" << std::endl;
    return wait_for_signal(watched, beside) ? kOk : kRefused;
  }
  session.errors << "waylay: holding " << names << " while " << harmless(parsed.command[0]) << " runs" << std::endl;
  pid_t child = ::fork();
  if (child < 0) return session.complain(posix_error(errno, "starting the command"));
  if (child == 0) execute(parsed.command, former);
  return supervise(child, watched, beside);
}

}  // namespace waylay::cli
