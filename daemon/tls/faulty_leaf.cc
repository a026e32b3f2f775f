#include "tls/faulty_leaf.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "base/address.h"

namespace waylay::tls {
namespace {

constexpr int64_t kLongAgo_ns = 28 * 24 * 3600 * kSecond_ns;  // a leaf lives seven days
constexpr std::string_view kWrongHost = "wrong-host.invalid";

// Another name that a CA confined to the right one may speak for as well: below it, or the next address.
std::string neighbour_of(const std::string& name) {
  Result<Address> address = Address::parse_ip(name, 0);
  if (!address) return "wrong-host." + name;
  address->ip[address->family == Family::Ipv4 ? 3 : 15] ^= 1;
  return address->ip_text();
}

// Under name constraints the usual name would be no certificate at all.
Result<UnsignedLeaf> prepare_for_wrong_host(const LeafMinter& minter, const LeafRequest& request, Time now) {
  Result<UnsignedLeaf> leaf = minter.prepare({std::string(kWrongHost), nullptr, request.key}, now);
  if (leaf || leaf.error().kind != ErrorKind::Permission) return leaf;
  return minter.prepare({neighbour_of(request.name), nullptr, request.key}, now);
}

// Of the CA's key, which has nothing to do with it any more.
void remove_authority_key_identifier(X509* certificate) {
  int index = X509_get_ext_by_NID(certificate, NID_authority_key_identifier, -1);
  if (index >= 0) X509_EXTENSION_free(X509_delete_ext(certificate, index));
}

bool sign_with(X509* certificate, EVP_PKEY* key) {
  if (certificate == nullptr) return false;
  remove_authority_key_identifier(certificate);
  return X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1 &&
         X509_sign(certificate, key, EVP_sha256()) > 0;
}

}  // namespace

Result<UnsignedLeaf> prepare_faulty(const LeafMinter& minter, const LeafRequest& request, LeafFault fault, Time now) {
  switch (fault) {
    case LeafFault::Expired:
      return minter.prepare(request, {now.steady_ns - kLongAgo_ns, now.wall_ns - kLongAgo_ns});
    case LeafFault::WrongHost:
      return prepare_for_wrong_host(minter, request, now);
    case LeafFault::SelfSigned:
      return minter.prepare(request, now);
  }
  return minter.prepare(request, now);
}

Result<std::shared_ptr<const Leaf>> finish_faulty(std::shared_ptr<const Leaf> leaf, LeafFault fault) {
  if (fault != LeafFault::SelfSigned) return leaf;
  auto made = std::make_shared<Leaf>();
  made->name = leaf->name;
  made->certificate = Certificate(X509_dup(leaf->certificate.get()));
  made->key = share(leaf->key.get());
  made->key_kind = leaf->key_kind;
  X509* certificate = made->certificate.get();
  if (!sign_with(certificate, made->key.get()))
    return fail(openssl_error(ErrorKind::Unavailable, "signing a leaf with its own key"));
  made->fingerprint = fingerprint_of(certificate);
  made->not_before_s = leaf->not_before_s;
  made->not_after_s = leaf->not_after_s;
  return std::shared_ptr<const Leaf>(std::move(made));
}

}  // namespace waylay::tls
