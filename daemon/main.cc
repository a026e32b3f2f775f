// waylayd: one binary for both processes. Started by an administrator or systemd it is the warden; the warden starts it
// again, unprivileged, as the proxy.
#include <systemd/sd-daemon.h>

#include <cstdio>
#include <string>

#include "base/log.h"
#include "control/daemon.h"
#include "warden/configuration.h"
#include "warden/warden.h"

namespace waylay {
namespace {

constexpr int kUsageError = 2;

int run_warden(const warden::Configuration& configuration) {
  log::start("warden", configuration.log_level);
  warden::WardenOptions options;
  options.notify = [](std::string_view state) { ::sd_notify(0, std::string(state).c_str()); };
  uint64_t watchdog_us = 0;
  // Half the time that systemd allows, as sd_watchdog_enabled(3) advises.
  if (::sd_watchdog_enabled(0, &watchdog_us) > 0) options.watchdog_ns = static_cast<int64_t>(watchdog_us) * 1000 / 2;
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
