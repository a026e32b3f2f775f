#include "cli/child.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "base/check.h"

namespace waylay::cli {
namespace {

constexpr std::array kForwarded = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT};

// The exit status once the child has ended. When it has only stopped (Ctrl-Z), so do we, and when we go on, so does it.
std::optional<int> look_after(pid_t child) {
  int state = 0;
  pid_t changed = ::waitpid(child, &state, WNOHANG | WUNTRACED);
  if (changed != child) return std::nullopt;
  if (WIFEXITED(state)) return WEXITSTATUS(state);
  if (WIFSIGNALED(state)) return kSignalled + WTERMSIG(state);
  if (WIFSTOPPED(state)) {
    ::raise(SIGSTOP);
    ::kill(child, SIGCONT);
  }
  return std::nullopt;
}

// Signals from the terminal reach the child by themselves, since it is in our process group; those that somebody sent
// to us alone are passed on.
std::optional<int> on_signal(const signalfd_siginfo& info, pid_t child) {
  int number = static_cast<int>(info.ssi_signo);
  if (number == SIGCHLD) return look_after(child);
  if (info.ssi_code <= 0) ::kill(child, number);
  return std::nullopt;
}

class Watch {
 public:
  Watch(const sigset_t& signals, const Beside& beside)
      : signals_(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK)), beside_(beside) {
    CHECK(signals_);
  }

  // The next signal; nothing when `beside` has answered false, once.
  std::optional<signalfd_siginfo> next() {
    for (;;) {
      std::array<pollfd, 2> watched = {{{signals_.get(), POLLIN, 0}, {ended_ ? -1 : beside_.descriptor, POLLIN, 0}}};
      int ready = ::poll(watched.data(), watched.size(), -1);
      if (ready < 0 && errno == EINTR) continue;
      CHECK(ready > 0);
      signalfd_siginfo info{};
      if (watched[0].revents != 0 && ::read(signals_.get(), &info, sizeof info) == sizeof info) return info;
      if (watched[1].revents == 0 || beside_.on_readable()) continue;
      ended_ = true;
      return std::nullopt;
    }
  }

 private:
  Fd signals_;
  const Beside& beside_;
  bool ended_ = false;
};

}  // namespace

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  for (int number : kForwarded) sigaddset(&set, number);
  return set;
}

void execute(const std::vector<std::string>& command, const sigset_t& signals) {
  std::vector<char*> arguments;
  std::vector<std::string> copies = command;
  arguments.reserve(copies.size() + 1);
  for (std::string& argument : copies) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  ::sigprocmask(SIG_SETMASK, &signals, nullptr);
  ::execvp(arguments[0], arguments.data());
  int error = errno;
  std::string message = "waylay: " + command[0] + ": " + posix_error(error, "cannot be run").message + "\n";
  ssize_t ignored = ::write(STDERR_FILENO, message.data(), message.size());
  (void)ignored;
  ::_exit(error == ENOENT ? kNotFound : kNotExecutable);
}

int supervise(pid_t child, const sigset_t& signals, const Beside& beside) {
  Watch watch(signals, beside);
  for (;;) {
    std::optional<signalfd_siginfo> info = watch.next();
    if (!info) continue;
    if (std::optional<int> status = on_signal(*info, child)) return *status;
  }
}

bool wait_for_signal(const sigset_t& signals, const Beside& beside) {
  Watch watch(signals, beside);
  while (std::optional<signalfd_siginfo> info = watch.next()) {
    int number = static_cast<int>(info->ssi_signo);
    if (number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT) return true;
    if (number == SIGTSTP) ::raise(SIGSTOP);
  }
  return false;
}

}  // namespace waylay::cli
