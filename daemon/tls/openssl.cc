#include "tls/openssl.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace waylay::tls {

void free_ssl(SSL* ssl) {
  SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl);
}
void free_ssl_ctx(SSL_CTX* context) {
  SSL_CTX_free(context);
}
void free_ssl_session(SSL_SESSION* session) {
  SSL_SESSION_free(session);
}
void free_x509(X509* certificate) {
  X509_free(certificate);
}
void free_pkey(EVP_PKEY* key) {
  EVP_PKEY_free(key);
}

Certificate share(X509* certificate) {
  if (certificate != nullptr) X509_up_ref(certificate);
  return Certificate(certificate);
}

PrivateKey share(EVP_PKEY* key) {
  if (key != nullptr) EVP_PKEY_up_ref(key);
  return PrivateKey(key);
}

// The first entry is the cause; those after it were added by the callers on the way up.
Error openssl_error(ErrorKind kind, std::string_view what, Side side) {
  std::string message(what);
  unsigned long code = ERR_get_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  if (reason != nullptr) message.append(": ").append(reason);
  ERR_clear_error();
  return {kind, side, std::move(message), 0};
}

}  // namespace waylay::tls
