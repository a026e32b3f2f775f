// The unprivileged process: forked and exec'd before anything is attached, with one end of each channel.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/handle.h"
#include "base/result.h"
#include "warden/sandbox.h"

namespace waylay::warden {

struct ProxyProgram {
  std::string path = "/proc/self/exe";               // readable by the proxy's user, wherever an uninstalled build lies
  std::vector<std::string> arguments = {"waylayd"};  // "--proxy-channel N" is added
};

struct ProxyProcess {
  pid_t pid = 0;
  Fd pidfd;    // readable when it has ended
  Fd control;  // the warden's end; blocking, sends time out after five seconds
};

// Of the caller's descriptors it inherits the standard ones and its channel's end, of its signals none blocked.
Result<ProxyProcess> start_proxy(const ProxyProgram& program, const Account& account);

// "exit status 1", "signal 11": reaps it, so only after pidfd was readable.
std::string how_it_ended(const ProxyProcess& proxy);

struct ChannelPair {
  Fd warden, proxy;
};
Result<ChannelPair> make_channel();

}  // namespace waylay::warden
