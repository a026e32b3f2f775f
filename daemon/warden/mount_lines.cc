#include "warden/mount_lines.h"

#include <fcntl.h>

#include <cerrno>
#include <sstream>

#include "base/handle.h"
#include "warden/files.h"

namespace waylay::warden {
namespace {

constexpr size_t kMaximumMountinfo = size_t{8} * 1024 * 1024;

// mountinfo writes blank, tab, newline and backslash as \ooo.
std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    bool escape = text[i] == '\\' && i + 3 < text.size();
    if (!escape) {
      out += text[i];
      continue;
    }
    out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
    i += 3;
  }
  return out;
}

}  // namespace

std::vector<MountLine> parse_mountinfo(std::string_view text) {
  std::vector<MountLine> lines;
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) {
    // 36 35 98:0 /root /mount/point rw,noatime shared:1 master:2 - ext4 /dev/root rw
    std::istringstream fields(line);
    MountLine mount;
    std::string parent, device, root, point, options, optional;
    if (!(fields >> mount.id >> parent >> device >> root >> point >> options)) continue;
    while (fields >> optional && optional != "-") mount.shared = mount.shared || optional.starts_with("shared:");
    mount.root = unescaped(root);
    mount.mount_point = unescaped(point);
    lines.push_back(std::move(mount));
  }
  return lines;
}

Result<std::vector<MountLine>> mounts_of(int process_directory_fd) {
  Fd file(::openat(process_directory_fd, "mountinfo", O_RDONLY | O_CLOEXEC));
  if (!file) return fail(posix_error(errno, "reading the target's mounts"));
  Result<std::string> text = read_all(file.get(), kMaximumMountinfo, "the target's mounts");
  if (!text) return fail(text);
  return parse_mountinfo(*text);
}

}  // namespace waylay::warden
