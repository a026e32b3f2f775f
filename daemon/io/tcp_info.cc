#include "io/tcp_info.h"

#include <linux/tcp.h>  // glibc's netinet/tcp.h ends before the delivery rate
#include <netinet/in.h>
#include <sys/socket.h>

namespace waylay::io {

std::optional<TcpFacts> tcp_facts(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (fd < 0 || ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) return std::nullopt;
  return TcpFacts{.rtt_us = info.tcpi_rtt,
                  .rtt_variance_us = info.tcpi_rttvar,
                  .retransmits = info.tcpi_total_retrans,
                  .congestion_window = info.tcpi_snd_cwnd,
                  .maximum_segment = info.tcpi_snd_mss,
                  .delivery_rate = info.tcpi_delivery_rate};
}

}  // namespace waylay::io
