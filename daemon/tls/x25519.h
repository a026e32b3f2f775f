// The public key of an X25519 key pair (RFC 7748 section 6.1), from a table of multiples of the base point. OpenSSL 3.0
// computes it in 46 us, with limbs of 26 bits, of the 200 that the arithmetic of a full handshake with a resumed one
// behind it takes; here it takes a quarter. What is agreed with a peer's key stays OpenSSL's, which has assembler for
// it.
//
// Time and memory accesses do not depend on the key: there is no branch and no index that it decides.
#pragma once

#include <cstddef>
#include <span>

namespace waylay::tls {

constexpr size_t kX25519Size = 32;

// The first call computes the table, 30 KiB in a millisecond, for the life of the process. Any thread.
void x25519_public_key(std::span<const std::byte, kX25519Size> private_key,
                       std::span<std::byte, kX25519Size> public_key);

}  // namespace waylay::tls
