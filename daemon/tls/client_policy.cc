#include "tls/client_policy.h"

#include <algorithm>
#include <array>

#include "tls/client_hello.h"

namespace waylay::tls {
namespace {

constexpr std::array<std::string_view, 2> kEchPolicies = {"reject", "passthrough"};
constexpr std::array<std::string_view, 3> kLeafKeyPolicies = {"auto", "p256", "rsa2048"};

// With TLS 1.3 the first names the curve too; with TLS 1.2 all three are ECDSA on any curve.
constexpr auto kEcdsa = std::to_array<uint16_t>({0x0403, 0x0503, 0x0603});
constexpr auto kRsa = std::to_array<uint16_t>({0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806});
constexpr auto kEcdheEcdsaSuites = std::to_array<uint16_t>({0xc02b, 0xc02c, 0xcca9});  // those of ClientContext
constexpr uint16_t kSecp256r1 = 23;

bool contains(const std::vector<uint16_t>& offered, uint16_t one) {
  return std::ranges::find(offered, one) != offered.end();
}

template <size_t N>
bool contains_any(const std::vector<uint16_t>& offered, const std::array<uint16_t, N>& of) {
  return std::ranges::any_of(of, [&](uint16_t one) { return contains(offered, one); });
}

bool verifies_p256(const ClientHello& hello) {
  if (hello.tls13) return contains(hello.signature_algorithms, kEcdsa[0]);
  // A client that names no curves takes all of them.
  bool knows_curve = hello.groups.empty() || contains(hello.groups, kSecp256r1);
  return knows_curve && contains_any(hello.ciphers, kEcdheEcdsaSuites) &&
         contains_any(hello.signature_algorithms, kEcdsa);
}

template <size_t N>
auto index_of(const std::array<std::string_view, N>& names, std::string_view name) -> std::optional<size_t> {
  auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<size_t>(found - names.begin());
}

}  // namespace

LeafKey leaf_key_for(const ClientHello& hello, LeafKeyPolicy policy) {
  if (policy == LeafKeyPolicy::Rsa2048) return LeafKey::Rsa2048;
  if (policy == LeafKeyPolicy::P256 || verifies_p256(hello)) return LeafKey::P256;
  // A client that can do neither fails with either, the cheaper one then.
  return contains_any(hello.signature_algorithms, kRsa) ? LeafKey::Rsa2048 : LeafKey::P256;
}

std::string_view to_string(EchPolicy policy) {
  return kEchPolicies[static_cast<size_t>(policy)];
}

std::string_view to_string(LeafKeyPolicy policy) {
  return kLeafKeyPolicies[static_cast<size_t>(policy)];
}

std::optional<EchPolicy> ech_policy_from(std::string_view name) {
  std::optional<size_t> index = index_of(kEchPolicies, name);
  if (!index) return std::nullopt;
  return static_cast<EchPolicy>(*index);
}

std::optional<LeafKeyPolicy> leaf_key_policy_from(std::string_view name) {
  std::optional<size_t> index = index_of(kLeafKeyPolicies, name);
  if (!index) return std::nullopt;
  return static_cast<LeafKeyPolicy>(*index);
}

}  // namespace waylay::tls
