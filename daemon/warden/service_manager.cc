#include "warden/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/clock.h"
#include "base/handle.h"

namespace waylay::warden {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

int64_t number(std::string_view text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

}  // namespace

void notify_service_manager(std::string_view state) {
  std::string_view path = environment("NOTIFY_SOCKET");
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  bool is_unix = path.starts_with('/') || path.starts_with('@');
  if (!is_unix || path.size() >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path.starts_with('@')) address.sun_path[0] = '\0';  // an abstract name: exactly these bytes
  auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return;
  ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
}

int64_t watchdog_interval_ns() {
  std::string_view whose = environment("WATCHDOG_PID");
  if (!whose.empty() && number(whose) != ::getpid()) return 0;
  int64_t limit_us = number(environment("WATCHDOG_USEC"));
  return limit_us > 0 && limit_us < INT64_MAX / 1000 ? limit_us * 1000 / 2 : 0;
}

}  // namespace waylay::warden
