#include "tls/cause.h"

namespace waylay::tls {

std::string_view to_string(Cause cause) {
  switch (cause) {
    case Cause::None:
      return "";
    case Cause::Expired:
      return "expired";
    case Cause::NotYetValid:
      return "not_yet_valid";
    case Cause::WrongHost:
      return "wrong_host";
    case Cause::UnknownAuthority:
      return "unknown_authority";
    case Cause::WrongPurpose:
      return "wrong_purpose";
    case Cause::NameConstraints:
      return "name_constraints";
    case Cause::Weak:
      return "weak";
    case Cause::Revoked:
      return "revoked";
    case Cause::Stapling:
      return "stapling";
    case Cause::InvalidChain:
      return "invalid_chain";
    case Cause::ClientCertificate:
      return "client_certificate";
    case Cause::Version:
      return "version";
    case Cause::NotTls:
      return "not_tls";
    case Cause::Handshake:
      return "handshake";
  }
  return "";
}

}  // namespace waylay::tls
