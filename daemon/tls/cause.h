// Why there is no TLS with an upstream, in groups that ask a person for different deeds. The words beside it
// (Channel::error()) say what exactly is wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace waylay::tls {

enum class Cause : uint8_t {
  None,
  Expired,            // renew it; or the clock is wrong
  NotYetValid,        // the clock is wrong, here or where it was made
  WrongHost,          // another server, or a certificate without the name that clients use
  UnknownAuthority,   // also self-signed: trust it with --upstream-roots, if it is yours
  WrongPurpose,       // not for a TLS server
  NameConstraints,    // its authority may not speak for this name
  Weak,               // a key, a signature or parameters that can be forged or broken
  Revoked,            // by its authority
  Stapling,           // the OCSP response that came with it is no good, or had to come and did not
  InvalidChain,       // signatures, CA flags, path lengths, extensions: it was not made by the rules
  ClientCertificate,  // the upstream wants one from us: upstream.client_certificates in the configuration
  Version,            // no TLS version in common: it speaks none above 1.1
  NotTls,             // it answered with something else
  Handshake,          // it refused, broke or ended the handshake
};
std::string_view to_string(Cause cause);  // "wrong_host"; "" for None

struct Problem {
  Cause cause = Cause::None;
  std::string words;
  explicit operator bool() const { return cause != Cause::None; }
};

}  // namespace waylay::tls
