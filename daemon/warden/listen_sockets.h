// The sockets of --listen: one for each worker on one address (SO_REUSEPORT), in the daemon's own network namespace.
#pragma once

#include <vector>

#include "base/address.h"
#include "base/handle.h"
#include "base/result.h"

namespace waylay::warden {

struct ListenSockets {
  std::vector<Fd> sockets;
  Address bound;  // with the port that was chosen for port 0
};
Result<ListenSockets> open_listen_sockets(const Address& address, unsigned count);

}  // namespace waylay::warden
