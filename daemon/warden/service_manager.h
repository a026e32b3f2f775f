// What a service manager is told and what it asks for, by the two environment variables of sd_notify(3) and
// sd_watchdog_enabled(3). libsystemd, which does the same, would bring six further libraries into both processes: a
// megabyte and a half of resident memory.
#pragma once

#include <cstdint>
#include <string_view>

namespace waylay::warden {

// "READY=1", "STOPPING=1", ... Nothing happens where no service manager listens; nobody is there to be told of a
// failure.
void notify_service_manager(std::string_view state);

// How often it wants to hear "WATCHDOG=1": half the time that it waits. 0: it does not ask.
int64_t watchdog_interval_ns();

}  // namespace waylay::warden
