// What keeps a taken-over proxy harmless: the warden calls drop_privileges() in the forked child just before exec, the
// proxy calls install_seccomp() after its initialisation and before its first thread. The rings are restricted
// separately (io/ring.h): seccomp does not see what goes through io_uring.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"

namespace waylay::warden {

struct Account {
  std::string name;
  uid_t user = 0;
  gid_t group = 0;
};

// The user the proxy runs as: `name`, else nobody. Asked before the fork, since reading the user database allocates and
// locks. `substituted` says that it is nobody because `name` does not exist.
struct ProxyAccount {
  Account account;
  bool substituted = false;
};
Result<ProxyAccount> find_proxy_account(const std::string& name);

// The group's number; -1 (root keeps the sockets) where it does not exist.
gid_t find_group(const std::string& name);

// No supplementary groups, no capabilities (bounding and ambient sets too), no_new_privs, not dumpable, umask 077, no
// core files. The limit of open files is raised to the hard one, locked memory to 64 MiB (rings and buffers; the
// kernel counts rings against it up to 5.11 only, kept for registered buffers).
Result<void> drop_privileges(const Account& account);

// What the proxy may do from here on: read and write what it holds, accept on the API socket, look up maps, make
// threads, and read files below what it can see (rules). Anything else fails with EPERM and is logged by the kernel's
// audit. All threads (TSYNC). With `makes_sockets` also TCP sockets: the upstream sockets of --listen are the proxy's
// own, so that whoever redirects can exempt them by the proxy's user.
Result<void> install_seccomp(bool makes_sockets = false);

}  // namespace waylay::warden
