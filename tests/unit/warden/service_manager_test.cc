#include "warden/service_manager.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "base/handle.h"

namespace waylay::warden {
namespace {

// A service manager's end: a datagram socket at a path or, with a leading '@', at an abstract name.
class Listening {
 public:
  explicit Listening(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name.starts_with('@')) address.sun_path[0] = '\0';
    auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0) << std::strerror(errno);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Listening() { ::unsetenv("NOTIFY_SOCKET"); }
  std::string heard() const {
    char text[256];
    ssize_t size = ::recv(socket_.get(), text, sizeof text, MSG_DONTWAIT);
    return size < 0 ? "nothing" : std::string(text, static_cast<size_t>(size));
  }

 private:
  Fd socket_;
};

class Watchdog {
 public:
  Watchdog(const std::string& limit_us, const std::string& pid) {
    ::setenv("WATCHDOG_USEC", limit_us.c_str(), 1);
    ::setenv("WATCHDOG_PID", pid.c_str(), 1);
  }
  ~Watchdog() {
    ::unsetenv("WATCHDOG_USEC");
    ::unsetenv("WATCHDOG_PID");
  }
};

TEST(ServiceManager, HearsAtAPath) {
  std::string path = std::filesystem::temp_directory_path() / ("waylay-notify-" + std::to_string(::getpid()));
  Listening manager(path);
  notify_service_manager("READY=1");
  EXPECT_EQ(manager.heard(), "READY=1");
  std::filesystem::remove(path);
}

TEST(ServiceManager, HearsAtAnAbstractName) {
  Listening manager("@waylay-notify-" + std::to_string(::getpid()));
  notify_service_manager("WATCHDOG=1");
  EXPECT_EQ(manager.heard(), "WATCHDOG=1");
}

TEST(ServiceManager, IsNotNeeded) {
  notify_service_manager("READY=1");
  EXPECT_EQ(watchdog_interval_ns(), 0);
}

TEST(ServiceManager, WantsToHearTwiceWithinItsLimit) {
  Watchdog watchdog("30000000", std::to_string(::getpid()));
  EXPECT_EQ(watchdog_interval_ns(), 15'000'000'000);
}

TEST(ServiceManager, WatchesAnotherProcess) {
  Watchdog watchdog("30000000", "1");
  EXPECT_EQ(watchdog_interval_ns(), 0);
}

TEST(ServiceManager, SaysNothingUsable) {
  Watchdog watchdog("soon", "");
  EXPECT_EQ(watchdog_interval_ns(), 0);
}

}  // namespace
}  // namespace waylay::warden
