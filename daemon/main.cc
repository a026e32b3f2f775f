// waylayd: one binary for both processes. Started by an administrator or systemd it is the warden; the warden starts it
// again, unprivileged, as the proxy.
#include <cstdio>
#include <string>

#include "base/log.h"
#include "control/daemon.h"
#include "warden/configuration.h"
#include "warden/service_manager.h"
#include "warden/warden.h"

namespace waylay {
namespace {

constexpr int kUsageError = 2;

int run_warden(const warden::Configuration& configuration) {
  log::start("warden", configuration.log_level);
  warden::WardenOptions options;
  options.notify = warden::notify_service_manager;
  options.watchdog_ns = warden::watchdog_interval_ns();
  Result<void> ended = warden::run(configuration, options);
  if (ended) return 0;
  log::error(ended.error().message);
  return 1;
}

int run(int argc, const char* const* argv) {
  Result<warden::CommandLine> parsed = warden::parse_command_line(argc, argv);
  if (!parsed) {
    std::fprintf(stderr, "waylayd: %s\n", parsed.error().message.c_str());
    return kUsageError;
  }
  switch (parsed->purpose) {
    case warden::CommandLine::Purpose::Print:
      std::fputs(parsed->text.c_str(), stdout);
      return 0;
    case warden::CommandLine::Purpose::CheckConfiguration:
      std::puts("the configuration is valid");
      return 0;
    case warden::CommandLine::Purpose::Proxy:
      return control::run_proxy(Fd(parsed->proxy_channel));
    case warden::CommandLine::Purpose::Run:
      return run_warden(parsed->configuration);
  }
  return kUsageError;
}

}  // namespace
}  // namespace waylay

int main(int argc, char** argv) {
  return waylay::run(argc, argv);
}
