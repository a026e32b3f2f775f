#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>

namespace waylay {
namespace {

Result<uint16_t> parse_port(std::string_view text) {
  unsigned value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > 65535)
    return fail(Error::local(ErrorKind::Invalid, "'" + std::string(text) + "' is not a port (0 to 65535)"));
  return static_cast<uint16_t>(value);
}

}  // namespace

Address Address::ipv4(uint32_t network_order_ip, uint16_t port) {
  Address a;
  std::memcpy(a.ip.data(), &network_order_ip, 4);
  a.port = port;
  return a;
}

Address Address::ipv6(const void* ip16, uint16_t port, uint32_t scope) {
  Address a;
  a.family = Family::Ipv6;
  std::memcpy(a.ip.data(), ip16, 16);
  a.port = port;
  a.scope = scope;
  return a;
}

Result<Address> Address::from_sockaddr(const sockaddr_storage& from) {
  if (from.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &from, sizeof in);
    return ipv4(in.sin_addr.s_addr, ntohs(in.sin_port));
  }
  if (from.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &from, sizeof in);
    return ipv6(&in.sin6_addr, ntohs(in.sin6_port), in.sin6_scope_id);
  }
  return fail(Error::local(ErrorKind::Invalid, "not an IP socket address"));
}

Result<Address> Address::parse(std::string_view text) {
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return fail(Error::local(ErrorKind::Invalid, "'" + std::string(text) + "' is not ADDRESS:PORT"));
  Result<uint16_t> port = parse_port(text.substr(colon + 1));
  if (!port) return fail(port);
  std::string_view ip = text.substr(0, colon);
  if (ip.size() >= 2 && ip.front() == '[' && ip.back() == ']') ip = ip.substr(1, ip.size() - 2);
  return parse_ip(ip, *port);
}

Result<Address> Address::parse_ip(std::string_view text, uint16_t port) {
  std::string copy(text);
  in_addr four{};
  if (inet_pton(AF_INET, copy.c_str(), &four) == 1) return ipv4(four.s_addr, port);
  in6_addr six{};
  if (inet_pton(AF_INET6, copy.c_str(), &six) == 1) return ipv6(&six, port);
  return fail(Error::local(ErrorKind::Invalid, "'" + copy + "' is not an IPv4 or IPv6 address"));
}

socklen_t Address::to_sockaddr(sockaddr_storage& to) const {
  std::memset(&to, 0, sizeof to);
  if (family == Family::Ipv4) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, ip.data(), 4);
    std::memcpy(&to, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(port);
  in.sin6_scope_id = scope;
  std::memcpy(&in.sin6_addr, ip.data(), 16);
  std::memcpy(&to, &in, sizeof in);
  return sizeof in;
}

std::string Address::ip_text() const {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(family == Family::Ipv4 ? AF_INET : AF_INET6, ip.data(), text, sizeof text);
}

std::string Address::to_string() const {
  std::string host = family == Family::Ipv4 ? ip_text() : "[" + ip_text() + "]";
  return host + ":" + std::to_string(port);
}

bool Address::is_v4_mapped() const {
  static constexpr uint8_t kPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return family == Family::Ipv6 && std::memcmp(ip.data(), kPrefix, sizeof kPrefix) == 0;
}

Address Address::unmapped() const {
  if (!is_v4_mapped()) return *this;
  uint32_t four = 0;
  std::memcpy(&four, ip.data() + 12, 4);
  return ipv4(four, port);
}

}  // namespace waylay
