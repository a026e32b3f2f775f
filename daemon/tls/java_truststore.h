// Java's truststores (cacerts): a copy with our certificate added. Two formats are read: JKS, Java's own
// (sun.security.provider.JavaKeyStore), and PKCS #12 (RFC 7292), the default of newer ones. JKS is what is written in
// both cases, since every Java from 8 on takes one for the other (keystore.type.compat in its java.security).
//
// The password is everybody's, "changeit": it protects nothing, and Java's own default store is opened without it. A
// store with another password is left alone, for whoever names that password would be refused our copy.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace waylay::tls {

bool is_java_truststore(std::string_view bytes);

// Empty when the original already contains ours. Invalid, with the reason: it is to be left alone.
Result<std::string> merge_truststore(std::string_view original, std::string_view ca_der);

// A store of all certificates in a bundle, for Java's started by `waylay run`.
Result<std::string> truststore_of_bundle(std::string_view pem);

}  // namespace waylay::tls
