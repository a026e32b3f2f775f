// Finding the certificate bundles and directories that a container's processes use, seen from outside through
// /proc/PID/root. Every path is the container's word: it is resolved inside its root (openat2 RESOLVE_IN_ROOT, no magic
// links: openat2(2)), looked at before it is opened, and only regular files of at most 8 MiB are read. Runs in a helper
// process (helper.h).
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/handle.h"
#include "base/result.h"

namespace waylay::warden {

constexpr size_t kMaximumBundle = size_t{8} * 1024 * 1024;

// A file or directory inside a root, held by an O_PATH descriptor.
struct RootedFile {
  Fd fd;
  std::string path;  // where it really is: no symbolic links, absolute inside the root's mount namespace
  uint64_t device = 0, inode = 0;
  uint64_t mount_id = 0;
  mode_t type = 0;  // S_IFREG, S_IFDIR, ...
  mode_t mode = 0;
  uid_t user = 0;
  gid_t group = 0;
  size_t size = 0;
};

uint64_t device_of(const struct statx& status);

// NotFound when there is no such file; Invalid when it is no regular file; Limit when it is too large.
Result<RootedFile> open_in_root(int root_fd, const std::string& path);
Result<RootedFile> open_directory_in_root(int root_fd, const std::string& path);
// One entry of an open directory, of whatever type, a symbolic link as itself.
Result<RootedFile> open_entry(int directory_fd, const std::string& name);

Result<std::string> read_rooted(const RootedFile& file);  // of a regular file
// The names in a directory but "." and "..", sorted; Limit when there are more than 4096.
Result<std::vector<std::string>> names_in_rooted(const RootedFile& directory);
bool holds_certificates(std::string_view text);

// original + "\n" if needed + ours; nullopt-like empty when the original already contains ours.
std::string merge_bundle(std::string_view original, std::string_view ca_pem);

// A pattern is a path in which a component may contain one '*'. Names inside `root_fd`, sorted, at most `limit`.
std::vector<std::string> expand_in_root(int root_fd, const std::string& pattern, size_t limit);

// The variables that name bundles for OpenSSL, requests, botocore, curl and Node.
extern const std::vector<std::string_view> kBundleVariables;

// System bundles, certifi's and botocore's copies and Java's truststores in the usual places, and what the processes'
// environments, command lines and mapped libraries point to. Candidates only: most do not exist.
std::vector<std::string> bundle_candidates(int root_fd, const std::vector<pid_t>& processes);

// Directories in which OpenSSL looks certificates up by hash: the system's, and what SSL_CERT_DIR names.
std::vector<std::string> directory_candidates(const std::vector<pid_t>& processes);

// The bundle of the machine the daemon runs on: empty when there is none.
std::string system_bundle_path();

}  // namespace waylay::warden
