// JA4, a fingerprint of a TLS client that is stable against shuffled extensions (FoxIO, JA4 technical details, TLS
// client).
#pragma once

#include <string>

#include "tls/client_hello.h"

namespace waylay::tls {

std::string ja4_fingerprint(const ClientHello& hello);  // every field of `hello` but ja4 is filled in

}  // namespace waylay::tls
