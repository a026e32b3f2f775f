// Small files read and written whole, and the directories the daemon needs.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/handle.h"
#include "base/result.h"

namespace waylay::warden {

// Regular files only, at most `limit` bytes; NotFound when there is none.
Result<std::string> read_file(const std::string& path, size_t limit);
Result<std::string> read_all(int fd, size_t limit, std::string_view what);
Result<void> write_all(int fd, std::string_view text, std::string_view what);

// The new content appears wholly or not at all, and survives a power failure: written beside, synced, renamed, and the
// directory synced. `group` -1 keeps root's.
Result<void> replace_file(const std::string& path, std::string_view text, mode_t mode,
                          gid_t group = static_cast<gid_t>(-1));

// The directory and what is missing above it (0755). The last one gets exactly this owner and mode; a symbolic link or
// somebody else's directory in its place is refused, since what is trusted is made inside.
Result<void> make_directory(const std::string& path, mode_t mode, uid_t user, gid_t group);

}  // namespace waylay::warden
