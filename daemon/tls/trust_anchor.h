// Our CA's certificate in the forms in which it is added to what programs trust. Made once, when the daemon starts:
// helper processes, which are forked beside other threads, then need no parser of certificates.
#pragma once

#include <string>

#include "base/result.h"

namespace waylay::tls {

struct TrustAnchor {
  std::string pem;
  std::string der;
  std::string hash;  // of the subject, eight hexadecimal digits: what OpenSSL looks files up by in a directory
};

Result<TrustAnchor> make_trust_anchor(std::string pem);

}  // namespace waylay::tls
