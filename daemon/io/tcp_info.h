// TCP_INFO of a socket.
#pragma once

#include <optional>

#include "base/tcp_facts.h"

namespace waylay::io {

std::optional<TcpFacts> tcp_facts(int fd);  // nothing: not open, or not TCP

}  // namespace waylay::io
