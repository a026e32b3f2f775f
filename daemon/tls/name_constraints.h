// RFC 5280 section 4.2.1.10: which names a CA may speak for. DNS names and IP addresses; other kinds never occur in our
// leaves.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "tls/openssl.h"

namespace waylay::tls {

class NameConstraints {
 public:
  NameConstraints() = default;  // everything is permitted
  static NameConstraints of(const X509* ca);

  // "example.org" and its subdomains, "10.0.0.0/8", "2001:db8::/32". A kind that is not among them is excluded wholly.
  static Result<NameConstraints> permitting(const std::vector<std::string>& names);

  bool add_to(X509* ca) const;  // as a critical extension; false: OpenSSL's queue says why
  bool empty() const { return permitted_.empty() && excluded_.empty(); }
  bool allows(std::string_view name) const;  // "a.example.org", "*.example.org", "192.0.2.1"

 private:
  struct Subtree {
    bool is_ip = false;
    std::string dns;                          // lower case; empty: every name
    std::vector<std::byte> address_and_mask;  // 8 or 32 bytes
  };
  static Result<Subtree> parse(std::string_view text);
  static bool contains(const Subtree& subtree, std::string_view name, Bytes address);

  std::vector<Subtree> permitted_, excluded_;
};

}  // namespace waylay::tls
