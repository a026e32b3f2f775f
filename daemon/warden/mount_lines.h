// /proc/PID/mountinfo (proc(5)) as far as it matters here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace waylay::warden {

struct MountLine {
  uint64_t id = 0;
  std::string root, mount_point;  // unescaped
  bool shared = false;
};
std::vector<MountLine> parse_mountinfo(std::string_view text);

// Of the process whose directory in /proc is open here (O_PATH will do): after setns(2), /proc may be another.
Result<std::vector<MountLine>> mounts_of(int process_directory_fd);

}  // namespace waylay::warden
