// The first message of a TLS connection, read before any TLS endpoint exists, to decide what will become of the
// connection (RFC 8446 section 4.1.2, RFC 6066 section 3, RFC 7301). The bytes stay with the caller, who hands them on
// unchanged to a Channel or to the upstream.
#pragma once

#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace waylay::tls {

struct ClientHello {
  std::string server_name;         // lower case, without a trailing dot; empty when the client named none
  std::vector<std::string> alpn;   // as offered, in order
  bool tls12 = false;              // offers TLS 1.2
  bool tls13 = false;              // offers TLS 1.3
  bool has_ech = false;            // an encrypted_client_hello extension is there, real or GREASE: nobody can tell
  bool has_early_data = false;     // the client sends data before the handshake is done (0-RTT)
  bool offers_resumption = false;  // a pre_shared_key, or a session ticket that is not empty

  // As sent, in order, GREASE values (RFC 8701) included.
  uint16_t legacy_version = 0;
  std::vector<uint16_t> versions;  // supported_versions; empty when the extension is not there
  std::vector<uint16_t> ciphers;
  std::vector<uint16_t> extensions;
  std::vector<uint16_t> groups;
  std::vector<uint16_t> signature_algorithms;

  std::string ja4;  // fingerprint of the client's TLS library: "t13d1516h2_8daaf6152771_e5627efa2ab1"
};

// A ClientHello is at most this long, record headers included. Real ones stay below 4 KiB, with post-quantum shares.
constexpr size_t kMaxClientHelloBytes = size_t{64} * 1024;

// `received` is everything the client has sent so far. The answer is
//  - nothing: it is the beginning of a ClientHello, more bytes are needed;
//  - the hello, in however many records and segments it came; what follows it is not looked at;
//  - Protocol, Client: this is not TLS (known from the first byte where possible), or a malformed hello;
//  - Limit, Client: longer than kMaxClientHelloBytes.
Result<std::optional<ClientHello>> parse_client_hello(Bytes received);

// The form in which names are compared and put into certificates: lower case, one trailing dot removed. An error for
// what is neither a host name (labels of letters, digits, '-' and '_', 63 characters each, 253 in all) nor an IP
// address.
Result<std::string> normalize_host_name(std::string_view name);

bool is_ip_literal(std::string_view name);  // "192.0.2.1", "2001:db8::1", without brackets

}  // namespace waylay::tls
