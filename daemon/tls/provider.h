// The OpenSSL library context of all our SSL_CTXs, with one provider in it: OpenSSL's default one, seen through ours.
//  - TLS13-KDF, the key schedule of TLS 1.3, is our own (key_schedule.h)
//  - X25519's key pairs are libsodium's (x25519_provider.cc); all else of it is OpenSSL's
//  - what TLS has no use for is left out: to read a certificate's key OpenSSL 3.0 looks through all kinds of keys and
//    all formats that they come in. With those that can stand in a certificate it takes less than half the time.
// It lives as long as the process. Certificates and keys of other contexts may be used with it.
#pragma once

#include <openssl/types.h>

namespace waylay::tls {

// The first call makes it. Null, which stands for OpenSSL's own context, where that is not possible or where OpenSSL is
// configured to do only what FIPS approves: no secrets are then captured.
OSSL_LIB_CTX* tls_library();

// The functions of the algorithms that are ours, for ever.
const OSSL_DISPATCH* key_schedule_functions();
const OSSL_DISPATCH* x25519_key_functions(const OSSL_DISPATCH* theirs);  // null where they cannot be built upon

}  // namespace waylay::tls
