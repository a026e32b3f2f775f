#include "tls/name_constraints.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <charconv>

#include "base/address.h"
#include "tls/client_hello.h"

namespace waylay::tls {
namespace {

using Constraints = Handle<NAME_CONSTRAINTS, NAME_CONSTRAINTS_free>;

constexpr size_t kIpv4Bytes = 4, kIpv6Bytes = 16;

std::vector<std::byte> address_bytes(std::string_view text) {
  Result<Address> address = Address::parse_ip(text, 0);
  if (!address) return {};
  Bytes bytes = as_bytes(address->ip.data(), address->family == Family::Ipv4 ? kIpv4Bytes : kIpv6Bytes);
  return {bytes.begin(), bytes.end()};
}

void append_mask(std::vector<std::byte>& bytes, size_t size, size_t prefix_bits) {
  for (size_t i = 0; i < size; ++i) {
    size_t ones = std::clamp<size_t>(prefix_bits, i * 8, i * 8 + 8) - i * 8;
    bytes.push_back(static_cast<std::byte>(0xff00U >> ones & 0xff));
  }
}

GENERAL_NAME* general_name(bool is_ip, std::string_view dns, Bytes address) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  ASN1_STRING* value = ASN1_STRING_type_new(is_ip ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
  Bytes bytes = is_ip ? address : as_bytes(dns);
  if (name == nullptr || value == nullptr ||
      ASN1_STRING_set(value, bytes.data(), static_cast<int>(bytes.size())) != 1) {
    GENERAL_NAME_free(name);
    ASN1_STRING_free(value);
    return nullptr;
  }
  GENERAL_NAME_set0_value(name, is_ip ? GEN_IPADD : GEN_DNS, value);
  return name;
}

bool add_subtree(STACK_OF(GENERAL_SUBTREE) * *list, GENERAL_NAME* name) {
  if (*list == nullptr) *list = sk_GENERAL_SUBTREE_new_null();
  GENERAL_SUBTREE* subtree = GENERAL_SUBTREE_new();
  if (*list == nullptr || subtree == nullptr || name == nullptr) {
    GENERAL_NAME_free(name);
    GENERAL_SUBTREE_free(subtree);
    return false;
  }
  GENERAL_NAME_free(subtree->base);
  subtree->base = name;
  return sk_GENERAL_SUBTREE_push(*list, subtree) > 0;
}

}  // namespace

NameConstraints NameConstraints::of(const X509* ca) {
  NameConstraints constraints;
  Constraints decoded(static_cast<NAME_CONSTRAINTS*>(X509_get_ext_d2i(ca, NID_name_constraints, nullptr, nullptr)));
  if (!decoded) return constraints;
  auto take = [](STACK_OF(GENERAL_SUBTREE) * from, std::vector<Subtree> & to) {
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(from); ++i) {
      const GENERAL_NAME* base = sk_GENERAL_SUBTREE_value(from, i)->base;
      if (base->type != GEN_DNS && base->type != GEN_IPADD) continue;
      const ASN1_STRING* value = base->type == GEN_DNS ? base->d.dNSName : base->d.iPAddress;
      Bytes bytes = as_bytes(ASN1_STRING_get0_data(value), static_cast<size_t>(ASN1_STRING_length(value)));
      Subtree subtree{.is_ip = base->type == GEN_IPADD};
      if (subtree.is_ip) subtree.address_and_mask.assign(bytes.begin(), bytes.end());
      if (!subtree.is_ip) subtree.dns = to_lower(as_text(bytes));
      to.push_back(std::move(subtree));
    }
  };
  take(decoded->permittedSubtrees, constraints.permitted_);
  take(decoded->excludedSubtrees, constraints.excluded_);
  return constraints;
}

Result<NameConstraints::Subtree> NameConstraints::parse(std::string_view text) {
  Subtree subtree;
  size_t slash = text.find('/');
  if (slash == std::string_view::npos && !is_ip_literal(text)) {
    Result<std::string> dns = normalize_host_name(text);
    if (!dns) return fail(dns, "name constraint");
    subtree.dns = std::move(*dns);
    return subtree;
  }
  subtree.is_ip = true;
  subtree.address_and_mask = address_bytes(text.substr(0, slash));
  size_t size = subtree.address_and_mask.size();
  size_t bits = size * 8;
  if (slash != std::string_view::npos) {
    std::string_view digits = text.substr(slash + 1);
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc() || end != digits.data() + digits.size()) bits = SIZE_MAX;
  }
  if (size == 0 || bits > size * 8) {
    return fail(Error::local(ErrorKind::Invalid, "name constraint: neither a host name nor a network like 10.0.0.0/8"));
  }
  append_mask(subtree.address_and_mask, size, bits);
  return subtree;
}

Result<NameConstraints> NameConstraints::permitting(const std::vector<std::string>& names) {
  NameConstraints constraints;
  for (const std::string& name : names) {
    Result<Subtree> subtree = parse(name);
    if (!subtree) return fail(subtree);
    constraints.permitted_.push_back(std::move(*subtree));
  }
  if (names.empty()) return constraints;
  auto has = [&](bool ip) {
    return std::ranges::any_of(constraints.permitted_, [&](auto& s) { return s.is_ip == ip; });
  };
  // A constraint on one kind says nothing about the others (RFC 5280), which is not what anybody means by it.
  if (!has(false)) constraints.excluded_.push_back({});
  if (!has(true)) {
    for (size_t size : {kIpv4Bytes, kIpv6Bytes}) {
      constraints.excluded_.push_back({.is_ip = true, .dns = {}, .address_and_mask = std::vector<std::byte>(size * 2)});
    }
  }
  return constraints;
}

bool NameConstraints::add_to(X509* ca) const {
  Constraints encoded(NAME_CONSTRAINTS_new());
  if (!encoded) return false;
  for (const Subtree& subtree : permitted_) {
    GENERAL_NAME* name = general_name(subtree.is_ip, subtree.dns, subtree.address_and_mask);
    if (!add_subtree(&encoded->permittedSubtrees, name)) return false;
  }
  for (const Subtree& subtree : excluded_) {
    GENERAL_NAME* name = general_name(subtree.is_ip, subtree.dns, subtree.address_and_mask);
    if (!add_subtree(&encoded->excludedSubtrees, name)) return false;
  }
  return X509_add1_ext_i2d(ca, NID_name_constraints, encoded.get(), 1, X509V3_ADD_DEFAULT) == 1;
}

bool NameConstraints::contains(const Subtree& subtree, std::string_view name, Bytes address) {
  if (subtree.is_ip != !address.empty()) return false;
  if (!subtree.is_ip) {
    if (subtree.dns.empty() || name == subtree.dns) return true;
    bool dotted = subtree.dns.front() == '.';
    return name.size() > subtree.dns.size() && name.ends_with(subtree.dns) &&
           (dotted || name[name.size() - subtree.dns.size() - 1] == '.');
  }
  if (subtree.address_and_mask.size() != address.size() * 2) return false;
  for (size_t i = 0; i < address.size(); ++i) {
    std::byte mask = subtree.address_and_mask[address.size() + i];
    if ((address[i] & mask) != (subtree.address_and_mask[i] & mask)) return false;
  }
  return true;
}

bool NameConstraints::allows(std::string_view name) const {
  std::vector<std::byte> address = address_bytes(name);
  std::string lower = to_lower(name);
  auto matches = [&](const Subtree& subtree) { return contains(subtree, lower, address); };
  if (std::ranges::any_of(excluded_, matches)) return false;
  bool constrained = std::ranges::any_of(permitted_, [&](auto& subtree) { return subtree.is_ip == !address.empty(); });
  return !constrained || std::ranges::any_of(permitted_, matches);
}

}  // namespace waylay::tls
