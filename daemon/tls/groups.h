// The key exchange groups that clients may use with us (RFC 8446 section 4.2.7), best first. Towards upstreams
// OpenSSL's own list is right: it begins with X25519MLKEM768 where it is known, and leaves nobody out.
#pragma once

#include <openssl/types.h>

#include <span>

namespace waylay::tls {

// In OpenSSL's syntax. A list with a group that the OpenSSL at hand does not know is refused whole.
inline constexpr const char* kGroupLists[] = {
    "X25519MLKEM768:X25519:P-256:P-384",  // OpenSSL 3.5: draft-ietf-tls-ecdhe-mlkem, what browsers offer first
    "X25519:P-256:P-384",
};

// Sets the first list that is taken. False: none, and OpenSSL's queue says why.
bool set_groups(SSL_CTX* context, std::span<const char* const> lists = kGroupLists);

}  // namespace waylay::tls
