#include "tls/verification.h"

#include <openssl/x509_vfy.h>

#include "base/clock.h"
#include "tls/certificate.h"

namespace waylay::tls {
namespace {

constexpr size_t kNamesShown = 10;

std::string date_text(int64_t seconds) {
  return to_iso8601(seconds * kSecond_ns);
}

std::string mismatch(std::string_view what, std::string_view host, X509* leaf) {
  std::string text = std::string(what) + " mismatch: ";
  std::vector<std::string> names = subject_alternative_names(leaf, kNamesShown + 1);
  if (names.empty()) {
    return text +
           "the certificate has no subject alternative names, so it is for nobody (a common name does not count)";
  }
  text += "the certificate is for ";
  for (size_t i = 0; i < names.size() && i < kNamesShown; ++i) text.append(i == 0 ? "" : ", ").append(names[i]);
  if (names.size() > kNamesShown) text += ", ...";
  return text.append(", not for ").append(host);
}

// Whose certificate: the leaf is what everybody thinks of, another one is named.
std::string which(X509* certificate, int depth) {
  return depth == 0 || certificate == nullptr ? "" : " (the CA certificate " + summarize(certificate).subject + ")";
}

Cause cause_of(int problem) {
  switch (problem) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return Cause::WrongHost;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Cause::Expired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Cause::NotYetValid;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_REJECTED:
      return Cause::UnknownAuthority;
    case X509_V_ERR_INVALID_PURPOSE:
      return Cause::WrongPurpose;
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
    case X509_V_ERR_SUBTREE_MINMAX:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
    case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
      return Cause::NameConstraints;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return Cause::Weak;
    default:
      return Cause::InvalidChain;
  }
}

std::string words_for(int problem, X509_STORE_CTX* verification, std::string_view host) {
  int depth = X509_STORE_CTX_get_error_depth(verification);
  X509* certificate = X509_STORE_CTX_get_current_cert(verification);
  X509* leaf = X509_STORE_CTX_get0_cert(verification);
  std::string text = X509_verify_cert_error_string(problem);
  switch (problem) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
      return mismatch("host name", host, leaf);
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return mismatch("IP address", host, leaf);
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return text + which(certificate, depth) + ": it was valid until " + date_text(not_after_s(certificate));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return text + which(certificate, depth) + ": it is valid from " + date_text(not_before_s(certificate));
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "unknown certificate authority: " + summarize(certificate).issuer + " (" + text + ")";
    case X509_V_ERR_INVALID_PURPOSE:
      return "the certificate is not for a TLS server" + which(certificate, depth) + " (" + text + ")";
    default:
      return text + which(certificate, depth);
  }
}

}  // namespace

Problem describe_verification_problem(X509_STORE_CTX* verification, std::string_view host) {
  int problem = X509_STORE_CTX_get_error(verification);
  return {cause_of(problem), words_for(problem, verification, host)};
}

}  // namespace waylay::tls
