// Our OpenSSL provider: what libssl is given in place of OpenSSL's own where that costs more than it must.
//  - TLS13-KDF, the key schedule of TLS 1.3 (key_schedule.h)
//  - X25519, with key pairs by libsodium and all else of it OpenSSL's own (x25519_provider.cc)
// It lives as long as the process.
#pragma once

#include <openssl/types.h>

namespace waylay::tls {

// The property query that makes an SSL_CTX use our provider for what it has, and OpenSSL's own for all else. The first
// call registers it; null where that is not possible: no secrets are then captured.
const char* provider_query();

// The provider's parts, each an array that ends with an empty entry, for ever.
const OSSL_ALGORITHM* key_schedule_algorithms();
struct X25519Algorithms {
  const OSSL_ALGORITHM* keys = nullptr;
  const OSSL_ALGORITHM* exchange = nullptr;
};
X25519Algorithms x25519_algorithms(OSSL_PROVIDER* standard);  // both null where OpenSSL's own cannot be built upon

}  // namespace waylay::tls
