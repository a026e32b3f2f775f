// What the administrator decided about intercepted clients, and what follows from it for one ClientHello. Plain values,
// read by all workers.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace waylay::tls {

struct ClientHello;

// A ClientHello with the encrypted_client_hello extension (RFC 9849). Real ones and GREASE look alike, by design, so
// there is one policy for both.
enum class EchPolicy : uint8_t {
  Reject,  // intercepted under the outer name, as a server without ECH would: a real one makes the client come again
           // without it (section 6.1.6), GREASE goes unnoticed
  Passthrough  // relayed undecrypted
};

// The kind of key in a leaf certificate. Signing a handshake with RSA costs twenty times as much as with P-256.
enum class LeafKey : uint8_t { P256, Rsa2048 };

enum class LeafKeyPolicy : uint8_t {
  Auto,  // P-256, and RSA for clients that cannot verify P-256's signatures
  P256,
  Rsa2048
};

struct ClientPolicy {
  EchPolicy ech = EchPolicy::Reject;
  LeafKeyPolicy leaf_key = LeafKeyPolicy::Auto;
};

// RFC 8446 section 4.4.2.2, RFC 8422 section 5.1: what the client says it can verify.
LeafKey leaf_key_for(const ClientHello& hello, LeafKeyPolicy policy);

// In the configuration's words: "reject", "passthrough"; "auto", "p256", "rsa2048".
std::string_view to_string(EchPolicy policy);
std::string_view to_string(LeafKeyPolicy policy);
std::optional<EchPolicy> ech_policy_from(std::string_view name);
std::optional<LeafKeyPolicy> leaf_key_policy_from(std::string_view name);

}  // namespace waylay::tls
