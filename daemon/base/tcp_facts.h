// What the kernel knows of one TCP connection (TCP_INFO, linux/tcp.h), asked at its end.
#pragma once

#include <cstdint>

namespace waylay {

struct TcpFacts {
  uint32_t rtt_us = 0, rtt_variance_us = 0;  // smoothed
  uint32_t retransmits = 0;                  // segments sent again, over its whole life
  uint32_t congestion_window = 0;            // segments
  uint32_t maximum_segment = 0;              // octets
  uint64_t delivery_rate = 0;                // octets a second, as last measured; 0: not known
};

}  // namespace waylay
