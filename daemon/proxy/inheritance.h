// What the warden hands over in its first message (warden/protocol.h, Start), taken apart.
#pragma once

#include <vector>

#include "base/handle.h"
#include "base/result.h"
#include "warden/protocol.h"

namespace waylay::proxy {

struct Inheritance {
  warden::StartInfo info;
  Fd api_listener;
  Fd flow_map;                     // read-only
  Fd counters;                     // read-only
  std::vector<Fd> channels;        // one per worker
  std::vector<Fd> listen_sockets;  // of --listen, one per worker; may be empty
};

Result<Inheritance> receive_inheritance(int control);  // blocks

}  // namespace waylay::proxy
