// Why a certificate was refused, in words that tell a person what to do about it.
#pragma once

#include <string_view>

#include "tls/cause.h"
#include "tls/openssl.h"

namespace waylay::tls {

// In a verification callback, at the first problem. `host` is whom the certificate should be for.
Problem describe_verification_problem(X509_STORE_CTX* verification, std::string_view host);

}  // namespace waylay::tls
