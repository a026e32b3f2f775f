#include "warden/proxy_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "kernel/process.h"
#include "warden/files.h"
#include "warden/helper.h"

namespace waylay::warden {
namespace {

void reset_signals() {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) ::signal(number, SIG_DFL);
}

Result<void> prepare(const Account& account, int control, int report) {
  reset_signals();
  ::setsid();  // a terminal's Ctrl-C is for the warden, which then stops the proxy in order
  if (::chdir("/") < 0) return fail(posix_error(errno, "changing to /"));
  Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null || ::dup2(null.get(), STDIN_FILENO) < 0) return fail(posix_error(errno, "opening /dev/null"));
  null.reset();
  close_all_but({control, report});
  if (::fcntl(control, F_SETFD, 0) < 0) return fail(posix_error(errno, "handing over the control channel"));
  return drop_privileges(account);
}

// Never returns: the proxy runs, or the report says why not. Only its end (close-on-exec) says success.
[[noreturn]] void be_proxy(const ProxyProgram& program, const Account& account, int control, int report) {
  Result<void> prepared = prepare(account, control, report);
  std::vector<std::string> arguments = program.arguments;
  arguments.insert(arguments.end(), {"--proxy-channel", std::to_string(control)});
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  if (prepared) ::execv(program.path.c_str(), pointers.data());
  std::string reason = prepared ? posix_error(errno, "executing " + program.path).message : prepared.error().message;
  (void)write_all(report, reason, "the report");
  ::_exit(127);
}

}  // namespace

Result<ChannelPair> make_channel() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
    return fail(posix_error(errno, "making a channel"));
  return ChannelPair{Fd(ends[0]), Fd(ends[1])};
}

Result<ProxyProcess> start_proxy(const ProxyProgram& program, const Account& account) {
  Result<ChannelPair> channel = make_channel();
  if (!channel) return fail(channel);
  const timeval timeout{5, 0};
  ::setsockopt(channel->warden.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  int report[2] = {-1, -1};
  if (::pipe2(report, O_CLOEXEC) < 0) return fail(posix_error(errno, "making a pipe"));
  Fd report_read(report[0]), report_write(report[1]);

  ProxyProcess proxy;
  proxy.pid = ::fork();
  if (proxy.pid < 0) return fail(posix_error(errno, "starting the proxy"));
  if (proxy.pid == 0) be_proxy(program, account, channel->proxy.get(), report_write.get());
  report_write.reset();
  Result<std::string> reason = read_all(report_read.get(), 4096, "the proxy's report");
  if (!reason || !reason->empty()) {
    ::kill(proxy.pid, SIGKILL);
    ::waitpid(proxy.pid, nullptr, 0);
    if (!reason) return fail(reason, "starting the proxy");
    return fail(Error::local(ErrorKind::System, "starting the proxy: " + *reason));
  }
  Result<Fd> pidfd = kernel::open_pidfd(proxy.pid);
  if (!pidfd) return fail(pidfd, "starting the proxy");
  proxy.pidfd = std::move(*pidfd);
  proxy.control = std::move(channel->warden);
  return proxy;
}

std::string how_it_ended(const ProxyProcess& proxy) {
  int status = 0;
  if (::waitpid(proxy.pid, &status, WNOHANG) != proxy.pid) return "unknown";
  if (WIFEXITED(status)) return "exit status " + std::to_string(WEXITSTATUS(status));
  return "signal " + std::to_string(WTERMSIG(status));
}

}  // namespace waylay::warden
