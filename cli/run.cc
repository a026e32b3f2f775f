// `waylay run`: the command waits, not yet executed, until the warden has put it into a cgroup that is intercepted.
// Then it runs as if there were no waylay: same terminal, same process group, signals and exit status passed on.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/child.h"
#include "cli/json.h"
#include "cli/session.h"
#include "cli/target_options.h"

namespace waylay::cli {
namespace {

constexpr const char* kJavaOptions = "JAVA_TOOL_OPTIONS";

using Variables = std::vector<std::pair<std::string, std::string>>;

struct Pipe {
  Fd read, write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail(posix_error(errno, "making a pipe"));
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// --- In the child ---

// "G" and then NAME=VALUE, each ended by a NUL: the word to go. An end before that: the parent has given up.
bool wait_for_word(const Fd& from, std::string& environment) {
  std::array<char, 4096> buffer;
  for (;;) {
    ssize_t size = ::read(from.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    environment.append(buffer.data(), static_cast<size_t>(size));
  }
  if (!environment.starts_with('G')) return false;
  environment.erase(0, 1);
  return true;
}

void set_environment(const std::string& environment) {
  for (size_t begin = 0, end; (end = environment.find('\0', begin)) != std::string::npos; begin = end + 1) {
    std::string pair = environment.substr(begin, end - begin);
    size_t equals = pair.find('=');
    if (equals != std::string::npos) ::setenv(pair.substr(0, equals).c_str(), pair.substr(equals + 1).c_str(), 1);
  }
}

[[noreturn]] void execute_at_word(const std::vector<std::string>& command, const Fd& word, const sigset_t& signals) {
  std::string environment;
  if (!wait_for_word(word, environment)) ::_exit(kNotExecutable);
  set_environment(environment);
  execute(command, signals);
}

// --- In the parent ---

bool give_word(const Fd& to, const Variables& variables) {
  std::string word = "G";
  for (const auto& [name, value] : variables) word.append(name).append("=").append(value).append(1, '\0');
  for (std::string_view rest = word; !rest.empty();) {
    ssize_t size = ::write(to.get(), rest.data(), rest.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return false;
    rest.remove_prefix(static_cast<size_t>(size));
  }
  return true;
}

int give_up(pid_t child, Fd word, int exit) {
  word.reset();  // the child ends without having run anything
  ::waitpid(child, nullptr, 0);
  return exit;
}

// Java's options are a list: the user's own follow ours, and win where both say the same.
std::string with_former_options(const std::string& name, const std::string& value) {
  const char* former = name == kJavaOptions ? std::getenv(kJavaOptions) : nullptr;
  return former ? value + " " + former : value;
}

Variables variables_in(const Json& answer) {
  Variables variables;
  const Json& environment = member(answer, "environment");
  if (!environment.is_object()) return variables;
  for (const auto& [name, value] : environment.items())
    if (value.is_string()) variables.emplace_back(name, with_former_options(name, value.get<std::string>()));
  return variables;
}

// Where systems keep the usual roots, which are in ours too.
bool is_usual_bundle(std::string_view path) {
  return path.starts_with("/etc/ssl/") || path.starts_with("/etc/pki/") ||
         path.starts_with("/usr/share/ca-certificates/");
}

// Roots of the user's own that the command will not see any more are worth a word.
void tell_replaced(Session& session, const Variables& variables) {
  std::string replaced;
  for (const auto& [name, value] : variables) {
    const char* former = std::getenv(name.c_str());
    if (!former || value == former || name == kJavaOptions || is_usual_bundle(former)) continue;
    replaced += (replaced.empty() ? "" : ", ") + name + " (was " + harmless(former) + ")";
  }
  if (!replaced.empty()) session.errors << "waylay: replaced for this command: " << replaced << std::endl;
}

}  // namespace

int run_command(Session& session, const Parsed& parsed) {
  Result<Json> ports = ports_option(parsed);
  if (!ports) return session.complain(ports.error());
  Result<Pipe> pipe = make_pipe();
  if (!pipe) return session.complain(pipe.error());

  sigset_t watched = watched_signals(), blocked = watched, former;
  sigaddset(&blocked, SIGPIPE);  // a child that is gone already must not end us by our word to it
  ::sigprocmask(SIG_BLOCK, &blocked, &former);
  session.out.flush();
  pid_t child = ::fork();
  if (child < 0) return session.complain(posix_error(errno, "starting the command"));
  if (child == 0) {
    pipe->write.reset();
    execute_at_word(parsed.arguments, pipe->read, former);
  }
  pipe->read.reset();

  Json request = {{"verb", "run"}, {"pid", child}};
  if (!ports->empty()) request["ports"] = *ports;
  if (parsed.has("--insist")) request["insist"] = true;
  if (parsed.has("--no-trust")) request["trust"] = false;
  Result<Json> answer = session.warden.ask(request);
  if (!answer) return give_up(child, std::move(pipe->write), session.complain(answer.error()));
  Variables variables = parsed.has("--no-trust") ? Variables() : variables_in(*answer);
  tell_replaced(session, variables);
  if (!give_word(pipe->write, variables)) return give_up(child, std::move(pipe->write), kRefused);
  pipe->write.reset();
  return supervise(child, watched);
}

}  // namespace waylay::cli
