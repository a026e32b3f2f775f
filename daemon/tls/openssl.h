// OpenSSL's objects as handles, without OpenSSL's large headers; and its error queue as one Error.
#pragma once

#include <openssl/types.h>

#include "base/handle.h"
#include "base/result.h"

typedef struct ssl_session_st SSL_SESSION;  // as in openssl/ssl.h, which is too large to include here

namespace waylay::tls {

// An SSL that is freed without a shutdown spoils its session for everybody else who holds it, so free_ssl() marks it as
// shut down first (sending nothing).
void free_ssl(SSL* ssl);
void free_ssl_ctx(SSL_CTX* context);
void free_ssl_session(SSL_SESSION* session);
void free_x509(X509* certificate);
void free_pkey(EVP_PKEY* key);

using Ssl = Handle<SSL, free_ssl>;
using SslCtx = Handle<SSL_CTX, free_ssl_ctx>;
using SslSession = Handle<SSL_SESSION, free_ssl_session>;
using Certificate = Handle<X509, free_x509>;
using PrivateKey = Handle<EVP_PKEY, free_pkey>;

Certificate share(X509* certificate);  // another reference to the same object; null stays null
PrivateKey share(EVP_PKEY* key);

// Takes everything out of the calling thread's error queue. `what` is the action: "loading the CA key".
Error openssl_error(ErrorKind kind, std::string_view what, Side side = Side::Local);

}  // namespace waylay::tls
