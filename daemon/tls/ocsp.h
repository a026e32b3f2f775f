// The OCSP response that a server staples to its certificate (RFC 6066 section 8, RFC 6960), and the certificate's own
// demand for one (RFC 7633, "must-staple"). Nothing is ever fetched.
#pragma once

#include "tls/cause.h"
#include "tls/openssl.h"

namespace waylay::tls {

// In the status callback, when the chain is verified: what is wrong with what came, or with nothing having come.
Problem check_stapling(SSL* ssl);

}  // namespace waylay::tls
