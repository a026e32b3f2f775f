#include "warden/helper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/clock.h"
#include "base/handle.h"
#include "warden/files.h"

namespace waylay::warden {
namespace {

constexpr size_t kMaximumAnswer = size_t{4} * 1024 * 1024;

// The answer's first byte says what follows: '+' the result, '-' an error as kind, code and message.
std::string to_wire(const Result<std::string>& result) {
  if (result) return "+" + *result;
  const Error& error = result.error();
  return "-" + std::to_string(static_cast<int>(error.kind)) + " " + std::to_string(error.code) + " " + error.message;
}

Result<std::string> from_wire(const std::string& wire) {
  if (wire.empty()) return fail(Error::local(ErrorKind::System, "a helper process ended without an answer"));
  if (wire.front() == '+') return wire.substr(1);
  int kind = 0, code = 0;
  const char *place = wire.data() + 1, *end = wire.data() + wire.size();
  for (int* number : {&kind, &code}) {
    auto [next, wrong] = std::from_chars(place, end, *number);
    if (wrong != std::errc() || next == end)
      return fail(Error::local(ErrorKind::System, "a helper's answer is cut off"));
    place = next + 1;
  }
  Error error = Error::local(static_cast<ErrorKind>(kind), std::string(place, end));
  error.code = code;
  return fail(std::move(error));
}

[[noreturn]] void be_helper(const std::function<Result<std::string>()>& work, std::vector<int> keep, int answer) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NAME, "waylay-helper");
  keep.push_back(answer);
  close_all_but(std::move(keep));
  (void)write_all(answer, to_wire(work()), "a helper's answer");
  ::_exit(0);
}

Result<std::string> read_answer(int fd, int timeout_ms) {
  std::string answer;
  int64_t deadline = now().steady_ns + timeout_ms * kMillisecond_ns;
  while (answer.size() <= kMaximumAnswer) {
    pollfd waiting{fd, POLLIN, 0};
    int64_t left_ms = (deadline - now().steady_ns) / kMillisecond_ns;
    int ready = left_ms <= 0 ? 0 : ::poll(&waiting, 1, static_cast<int>(left_ms));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0)
      return fail(Error::local(ErrorKind::Timeout, "a helper process did not finish in time: is a file system hung?"));
    char buffer[size_t{64} * 1024];
    ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return answer;
    answer.append(buffer, static_cast<size_t>(got));
  }
  return fail(Error::local(ErrorKind::Limit, "a helper's answer is too long"));
}

// A child that hangs in the kernel cannot be reaped now; it is left to init when the daemon ends.
void reap(pid_t child) {
  ::kill(child, SIGKILL);
  for (int tries = 0; tries < 100; ++tries) {
    if (::waitpid(child, nullptr, WNOHANG) != 0) return;
    ::usleep(10'000);
  }
}

}  // namespace

void close_all_but(std::vector<int> keep) {
  std::ranges::sort(keep);
  unsigned next = STDERR_FILENO + 1;
  for (int fd : keep) {
    if (static_cast<unsigned>(fd) < next) continue;
    if (static_cast<unsigned>(fd) > next) ::close_range(next, static_cast<unsigned>(fd) - 1, 0);
    next = static_cast<unsigned>(fd) + 1;
  }
  ::close_range(next, ~0u, 0);
}

Result<std::string> run_helper(const std::function<Result<std::string>()>& work, const std::vector<int>& keep,
                               int timeout_ms) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) < 0) return fail(posix_error(errno, "making a pipe"));
  Fd read_end(ends[0]), write_end(ends[1]);
  pid_t child = ::fork();
  if (child < 0) return fail(posix_error(errno, "starting a helper process"));
  if (child == 0) be_helper(work, keep, write_end.get());
  write_end.reset();
  Result<std::string> answer = read_answer(read_end.get(), timeout_ms);
  reap(child);
  if (!answer) return fail(answer);
  return from_wire(*answer);
}

}  // namespace waylay::warden
