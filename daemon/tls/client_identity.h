// A certificate of ours for upstreams that ask for one (mutual TLS), and for which upstreams it is meant. The warden
// reads its files and checks them with load(); the proxy uses it, so its key is in the proxy's memory, unlike the CA's:
// it opens what it was given for, and nothing else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tls/openssl.h"

namespace waylay::tls {

struct ClientIdentity {
  std::vector<std::string> hosts;  // "api.example", "192.0.2.1", "*.example" (any name below example)
  Certificate certificate;
  std::vector<Certificate> chain;  // what was behind it in its file
  PrivateKey key;

  // PEM both; the key not encrypted and the certificate's own.
  static Result<ClientIdentity> load(const std::vector<std::string>& hosts, std::string_view certificate_pem,
                                     std::string_view key_pem);
  bool is_for(std::string_view host) const;  // in the form of normalize_host_name()
};

bool is_host_pattern(std::string_view pattern);

}  // namespace waylay::tls
