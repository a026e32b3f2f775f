#include "tls/client_identity.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>

#include "tls/certificate.h"
#include "tls/client_hello.h"

namespace waylay::tls {
namespace {

using MemoryBio = Handle<BIO, BIO_free_all>;

// "*.example" as ".example", else empty.
std::string_view suffix_of(std::string_view pattern) {
  return pattern.starts_with("*.") ? pattern.substr(1) : std::string_view();
}

}  // namespace

bool is_host_pattern(std::string_view pattern) {
  std::string_view suffix = suffix_of(pattern);
  if (suffix.empty()) return normalize_host_name(pattern).has_value();
  std::string_view name = suffix.substr(1);
  return normalize_host_name(name).has_value() && !is_ip_literal(name);
}

Result<ClientIdentity> ClientIdentity::load(const std::vector<std::string>& hosts, std::string_view certificate_pem,
                                            std::string_view key_pem) {
  ClientIdentity identity;
  for (const std::string& pattern : hosts) {
    if (!is_host_pattern(pattern))
      return fail(Error::local(ErrorKind::Invalid, "\"" + pattern + "\" is neither a host nor *.HOST"));
    identity.hosts.push_back(to_lower(pattern));
  }
  MemoryBio bio(BIO_new_mem_buf(certificate_pem.data(), static_cast<int>(certificate_pem.size())));
  while (Certificate next{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    if (!identity.certificate) {
      identity.certificate = std::move(next);
    } else {
      identity.chain.push_back(std::move(next));
    }
  }
  ERR_clear_error();  // reading ends with "no start line"
  if (!identity.certificate) return fail(Error::local(ErrorKind::Invalid, "no certificate in PEM"));
  Result<PrivateKey> key = private_key_from_pem(key_pem);
  if (!key) return fail(key);
  identity.key = std::move(*key);
  if (X509_check_private_key(identity.certificate.get(), identity.key.get()) != 1)
    return fail(openssl_error(ErrorKind::Invalid, "the private key is not the certificate's"));
  return identity;
}

bool ClientIdentity::is_for(std::string_view host) const {
  return std::ranges::any_of(hosts, [&](std::string_view pattern) {
    std::string_view suffix = suffix_of(pattern);
    return suffix.empty() ? host == pattern : host.size() > suffix.size() && host.ends_with(suffix);
  });
}

}  // namespace waylay::tls
