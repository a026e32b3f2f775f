#include "tls/groups.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string>

namespace waylay::tls {

bool set_groups(SSL_CTX* context, std::span<const char* const> lists) {
  for (const char* list : lists) {
    ERR_clear_error();         // of the list before
    std::string groups(list);  // OpenSSL's macro wants it writable
    if (SSL_CTX_set1_groups_list(context, groups.data()) == 1) return true;
  }
  return false;
}

}  // namespace waylay::tls
