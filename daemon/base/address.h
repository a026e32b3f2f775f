// An IP address and port, as the kernel and people write them.
#pragma once

#include <sys/socket.h>

#include <array>
#include <compare>

#include "base/result.h"

namespace waylay {

enum class Family : uint8_t { Ipv4 = 4, Ipv6 = 6 };

struct Address {
  Family family = Family::Ipv4;
  std::array<uint8_t, 16> ip{};  // network order; IPv4 in the first four bytes
  uint16_t port = 0;             // host order
  uint32_t scope = 0;            // IPv6 zone index of link-local addresses, else 0

  static Address ipv4(uint32_t network_order_ip, uint16_t port);
  static Address ipv6(const void* ip16, uint16_t port, uint32_t scope = 0);
  static Result<Address> from_sockaddr(const sockaddr_storage& from);
  static Result<Address> parse(std::string_view text);  // "1.2.3.4:443", "[::1]:443"
  static Result<Address> parse_ip(std::string_view text, uint16_t port);

  socklen_t to_sockaddr(sockaddr_storage& to) const;  // the length to pass on
  std::string ip_text() const;                        // "1.2.3.4", "::1"
  std::string to_string() const;                      // "1.2.3.4:443", "[::1]:443"
  bool is_v4_mapped() const;                          // ::ffff:a.b.c.d
  Address unmapped() const;                           // the IPv4 address inside, else itself

  friend auto operator<=>(const Address&, const Address&) = default;
};

}  // namespace waylay
