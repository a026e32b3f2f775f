#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <future>

#include "tls/client_hello.h"
#include "tls/leaf.h"
#include "tls/name_constraints.h"
#include "tls/x509_builder.h"

namespace waylay::tls {
namespace {

using GeneralNames = Handle<GENERAL_NAMES, GENERAL_NAMES_free>;
using GeneralName = Handle<GENERAL_NAME, GENERAL_NAME_free>;
using Asn1String = Handle<ASN1_STRING, ASN1_STRING_free>;

constexpr size_t kMaxNames = 200;
constexpr size_t kMaxCommonName = 64;  // RFC 5280 appendix A.1, ub-common-name
constexpr int64_t kBackdated_s = 2 * kDay_s;
constexpr int64_t kLifetime_s = 7 * kDay_s;
constexpr int kX509Version3 = 2;

void free_text(unsigned char* text) {
  OPENSSL_free(text);
}
using OpensslText = Handle<unsigned char, free_text>;

// OpenSSL has setters for the two signature algorithms of a request, but not of a certificate. The X509 is ours alone.
bool set_signature_algorithm(X509* certificate, bool ca_is_rsa) {
  const X509_ALGOR* outer = nullptr;
  X509_get0_signature(nullptr, &outer, certificate);
  for (const X509_ALGOR* algorithm : {X509_get0_tbs_sigalg(certificate), outer}) {
    int nid = ca_is_rsa ? NID_sha256WithRSAEncryption : NID_ecdsa_with_SHA256;
    int parameter = ca_is_rsa ? V_ASN1_NULL : V_ASN1_UNDEF;  // RFC 4055 section 5, RFC 5758 section 3.2
    if (X509_ALGOR_set0(const_cast<X509_ALGOR*>(algorithm), OBJ_nid2obj(nid), parameter, nullptr) != 1) return false;
  }
  return true;
}

bool set_signature(X509* certificate, Bytes signature) {
  const ASN1_BIT_STRING* current = nullptr;
  X509_get0_signature(&current, nullptr, certificate);
  auto* bits = const_cast<ASN1_BIT_STRING*>(current);
  if (ASN1_STRING_set(bits, signature.data(), static_cast<int>(signature.size())) != 1) return false;
  bits->flags &= ~0x07L;  // no unused bits in the last byte, and do not guess them
  bits->flags |= ASN1_STRING_FLAG_BITS_LEFT;
  return true;
}

// What is the same in all leaves of this run with one key, but for the extensions.
Certificate begin_leaf(X509* ca, EVP_PKEY* key, bool ca_is_rsa) {
  Certificate leaf(X509_new());
  bool made = leaf && X509_set_version(leaf.get(), kX509Version3) == 1 &&
              X509_set_issuer_name(leaf.get(), X509_get_subject_name(ca)) == 1 &&
              X509_set_pubkey(leaf.get(), key) == 1 && set_signature_algorithm(leaf.get(), ca_is_rsa);
  return made ? std::move(leaf) : nullptr;
}

// Holds the extensions that are the same in all leaves. They are written as text once: reading that is most of what an
// extension costs.
Certificate make_mold(X509* ca) {
  Certificate mold(X509_new());
  bool made = mold && add_extension(mold.get(), ca, NID_basic_constraints, "critical,CA:FALSE") &&
              add_extension(mold.get(), ca, NID_key_usage, "critical,digitalSignature") &&
              add_extension(mold.get(), ca, NID_ext_key_usage, "serverAuth") &&
              add_extension(mold.get(), ca, NID_authority_key_identifier, "keyid:always");
  return made ? std::move(mold) : nullptr;
}

bool copy_extensions(X509* to, const X509* from) {
  for (int i = 0; i < X509_get_ext_count(from); ++i)
    if (X509_add_ext(to, X509_get_ext(from, i), -1) != 1) return false;
  return true;
}

bool is_valid_for(X509* certificate, const std::string& name) {
  unsigned flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
  if (is_ip_literal(name)) return X509_check_ip_asc(certificate, name.c_str(), flags) == 1;
  return X509_check_host(certificate, name.data(), name.size(), flags, nullptr) == 1;
}

GeneralName general_name(const std::string& name) {
  GeneralName general(GENERAL_NAME_new());
  if (!general) return nullptr;
  if (is_ip_literal(name)) {
    ASN1_OCTET_STRING* address = a2i_IPADDRESS(name.c_str());
    if (address == nullptr) return nullptr;
    GENERAL_NAME_set0_value(general.get(), GEN_IPADD, address);
    return general;
  }
  Asn1String dns(ASN1_STRING_type_new(V_ASN1_IA5STRING));
  if (!dns || ASN1_STRING_set(dns.get(), name.data(), static_cast<int>(name.size())) != 1) return nullptr;
  GENERAL_NAME_set0_value(general.get(), GEN_DNS, dns.release());
  return general;
}

// RFC 5280 section 4.2.1.6: critical where there is no subject.
bool set_names(X509* certificate, const std::vector<std::string>& names, bool critical) {
  GeneralNames list(sk_GENERAL_NAME_new_null());
  for (const std::string& name : names) {
    GENERAL_NAME* general = general_name(name).release();  // the list's, once it is in there
    if (!list || general == nullptr || sk_GENERAL_NAME_push(list.get(), general) <= 0) {
      GENERAL_NAME_free(general);
      return false;
    }
  }
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, list.get(), critical ? 1 : 0, X509V3_ADD_DEFAULT) == 1;
}

std::string mirrored_common_name(const X509* mirror) {
  const X509_NAME* subject = X509_get_subject_name(mirror);
  int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (index < 0) return {};
  unsigned char* utf8 = nullptr;
  int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
  if (size < 0) return {};
  OpensslText owned(utf8);
  std::string text(as_text(as_bytes(utf8, static_cast<size_t>(size))));
  bool plain = std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7f; });
  return plain ? text : std::string();
}

}  // namespace

struct LeafMinter::Core {
  Certificate ca;
  PrivateKey p256_key;
  std::shared_future<Result<PrivateKey>> rsa_key;
  bool ca_is_rsa = false;
  Certificate mold;  // has the extensions of every leaf
  NameConstraints constraints;

  Result<EVP_PKEY*> key_of(LeafKey kind) const;
  std::vector<std::string> names_for(const std::string& name, X509* mirror) const;
  std::string common_name_for(const std::string& name, const X509* mirror) const;
};

LeafMinter::LeafMinter(std::unique_ptr<Core> core) : core_(std::move(core)) {}
LeafMinter::~LeafMinter() = default;

Result<std::unique_ptr<LeafMinter>> LeafMinter::create(std::string_view ca_certificate_pem) {
  Result<Certificate> ca = certificate_from_pem(ca_certificate_pem);
  if (!ca) return fail(ca, "the CA's certificate");
  if (X509_check_ca(ca->get()) != 1) return fail(Error::local(ErrorKind::Invalid, "the certificate is not a CA's"));
  Result<PrivateKey> key = make_p256_key_for_certificates();
  if (!key) return fail(key, "the key of the leaf certificates");
  auto core = std::make_unique<Core>();
  core->ca_is_rsa = EVP_PKEY_is_a(X509_get0_pubkey(ca->get()), "RSA");
  core->constraints = NameConstraints::of(ca->get());
  core->ca = std::move(*ca);
  core->p256_key = std::move(*key);
  core->rsa_key = std::async(std::launch::deferred, make_rsa2048_key_for_certificates);
  core->mold = make_mold(core->ca.get());
  if (!core->mold) return fail(openssl_error(ErrorKind::Unavailable, "preparing leaf certificates"));
  return std::unique_ptr<LeafMinter>(new LeafMinter(std::move(core)));
}

void LeafMinter::make_rsa_key_in_background() {
  core_->rsa_key = std::async(std::launch::async, make_rsa2048_key_for_certificates);
}

// By a future of its own: of one object only one thread may ask.
Result<EVP_PKEY*> LeafMinter::Core::key_of(LeafKey kind) const {
  if (kind == LeafKey::P256) return p256_key.get();
  std::shared_future<Result<PrivateKey>> made = rsa_key;
  const Result<PrivateKey>& key = made.get();
  if (!key) return fail(Error(key.error()));
  return key->get();
}

Result<UnsignedLeaf> LeafMinter::prepare(const LeafRequest& request, Time now) const {
  Result<std::string> name = normalize_host_name(request.name);
  if (!name) return fail(name, "preparing a leaf certificate");
  if (!core_->constraints.allows(*name)) {
    return fail(Error::local(ErrorKind::Permission, "the CA's name constraints do not allow " + *name));
  }
  std::vector<std::string> names = core_->names_for(*name, request.mirror);
  if (names.empty()) {
    return fail(Error::local(ErrorKind::Invalid, "the certificate to mirror for " + *name + " is for no host at all"));
  }
  Result<EVP_PKEY*> key = core_->key_of(request.key);
  if (!key) return fail(key, "preparing a leaf certificate for " + *name);
  Certificate certificate = begin_leaf(core_->ca.get(), *key, core_->ca_is_rsa);
  int64_t now_s = now.wall_ns / kSecond_ns;
  int64_t until_s = now_s + kLifetime_s;
  if (request.mirror != nullptr) until_s = std::min(until_s, not_after_s(request.mirror));
  std::string common_name = core_->common_name_for(*name, request.mirror);
  X509* raw = certificate.get();
  bool filled = raw != nullptr && copy_extensions(raw, core_->mold.get()) &&
                add_extension(raw, nullptr, NID_subject_key_identifier, "hash") && set_random_serial(raw) &&
                set_validity(raw, now_s - kBackdated_s, until_s) &&
                (common_name.empty() || set_common_name(raw, common_name)) &&
                set_names(raw, names, common_name.empty());
  UnsignedLeaf leaf;
  int size = filled ? i2d_re_X509_tbs(raw, nullptr) : -1;
  if (size <= 0) return fail(openssl_error(ErrorKind::Invalid, "preparing a leaf certificate for " + *name));
  leaf.tbs_.resize(static_cast<size_t>(size));
  auto* out = reinterpret_cast<unsigned char*>(leaf.tbs_.data());
  i2d_re_X509_tbs(raw, &out);
  leaf.name_ = std::move(*name);
  leaf.key_ = request.key;
  leaf.certificate_ = std::move(certificate);
  return leaf;
}

Result<std::shared_ptr<const Leaf>> LeafMinter::finish(UnsignedLeaf&& unsigned_leaf, Bytes signature) const {
  auto leaf = std::make_shared<Leaf>();
  leaf->name = std::move(unsigned_leaf.name_);
  leaf->certificate = std::move(unsigned_leaf.certificate_);
  Result<EVP_PKEY*> key = core_->key_of(unsigned_leaf.key_);
  if (!key) return fail(key);
  leaf->key = share(*key);
  leaf->key_kind = unsigned_leaf.key_;
  if (signature.empty() || !set_signature(leaf->certificate.get(), signature)) {
    return fail(openssl_error(ErrorKind::Invalid, "finishing the leaf certificate for " + leaf->name));
  }
  leaf->fingerprint = fingerprint_of(leaf->certificate.get());
  leaf->not_before_s = not_before_s(leaf->certificate.get());
  leaf->not_after_s = not_after_s(leaf->certificate.get());
  return std::shared_ptr<const Leaf>(std::move(leaf));
}

// The upstream's names in its order, without those that our CA may not speak for; the asked one behind them, unless it
// is there literally, so that it is there also where the others are too many or only a wildcard covers it.
std::vector<std::string> LeafMinter::Core::names_for(const std::string& name, X509* mirror) const {
  if (mirror == nullptr) return {name};
  std::vector<std::string> names = subject_alternative_names(mirror, kMaxNames);
  std::erase_if(names, [&](const std::string& mirrored) { return !constraints.allows(mirrored); });
  bool present = std::ranges::any_of(names, [&](auto& mirrored) { return equals_ignoring_case(mirrored, name); });
  if (present || !is_valid_for(mirror, name)) return names;
  if (names.size() == kMaxNames) names.pop_back();
  names.push_back(name);
  return names;
}

// Empty: no subject. With name constraints a common name that is an IP address would be judged as a host name.
std::string LeafMinter::Core::common_name_for(const std::string& name, const X509* mirror) const {
  std::string mirrored = mirror == nullptr ? std::string() : mirrored_common_name(mirror);
  const std::string& chosen = mirrored.empty() ? name : mirrored;
  if (chosen.size() > kMaxCommonName || (!constraints.empty() && is_ip_literal(name))) return {};
  return chosen;
}

}  // namespace waylay::tls
