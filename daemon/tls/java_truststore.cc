#include "tls/java_truststore.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/handle.h"
#include "tls/certificate.h"

namespace waylay::tls {
namespace {

using Bio = Handle<BIO, BIO_free_all>;
using Pkcs12 = Handle<PKCS12, PKCS12_free>;

void free_contents(STACK_OF(PKCS7) * contents) {
  sk_PKCS7_pop_free(contents, PKCS7_free);
}
void free_bags(STACK_OF(PKCS12_SAFEBAG) * bags) {
  sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}
using Contents = Handle<STACK_OF(PKCS7), free_contents>;
using Bags = Handle<STACK_OF(PKCS12_SAFEBAG), free_bags>;
using Pbes1 = Handle<PBEPARAM, PBEPARAM_free>;
using Pbes2 = Handle<PBE2PARAM, PBE2PARAM_free>;
using Pbkdf2 = Handle<PBKDF2PARAM, PBKDF2PARAM_free>;

// JKS, all numbers big-endian: magic, version, number of entries; the entries; SHA-1 over the password, the words
// "Mighty Aphrodite" and all bytes before.
constexpr uint32_t kMagic = 0xfeedfeed;
constexpr uint32_t kVersion = 2;  // of Java 1.2 and later
constexpr uint32_t kTrustedCertificate = 2;
constexpr size_t kHeader = 12;
constexpr size_t kDigest = 20;
constexpr char kPassword[] = "changeit";
constexpr std::string_view kSalt = "Mighty Aphrodite";
constexpr std::string_view kAlias = "waylay";
constexpr std::string_view kType = "X.509";

// Of all the keys that a PKCS #12 store derives from its password, since it says itself how often the password is to be
// hashed: a quarter of a second. keytool writes 10,000 for each today, 150,000 for both before Java 16.
constexpr int64_t kMaximumIterations = 500'000;

Error left_alone(std::string reason) {
  return Error::local(ErrorKind::Invalid, std::move(reason));
}

void put(std::string& to, uint64_t number, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) to += static_cast<char>(number >> shift);
}

void put_text(std::string& to, std::string_view text) {
  put(to, text.size(), 2);
  to += text;
}

uint32_t number_at(std::string_view bytes, size_t offset) {
  uint32_t number = 0;
  for (char byte : bytes.substr(offset, 4)) number = number << 8 | static_cast<uint8_t>(byte);
  return number;
}

void put_certificate(std::string& to, std::string_view alias, std::string_view der) {
  put(to, kTrustedCertificate, 4);
  put_text(to, alias);
  put(to, 0, 8);  // when it was added: nobody asks
  put_text(to, kType);
  put(to, der.size(), 4);
  to += der;
}

std::string header(uint32_t entries) {
  std::string bytes;
  put(bytes, kMagic, 4);
  put(bytes, kVersion, 4);
  put(bytes, entries, 4);
  return bytes;
}

std::string digest_of(std::string_view bytes) {
  std::string said;
  for (char letter : std::string_view(kPassword)) put(said, static_cast<uint8_t>(letter), 2);
  said.append(kSalt).append(bytes);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (EVP_Digest(said.data(), said.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1) return "";
  return std::string(as_text(as_bytes(digest.data(), size)));
}

Result<std::string> closed(std::string bytes) {
  std::string digest = digest_of(bytes);
  if (digest.size() != kDigest) return fail(left_alone("OpenSSL refuses SHA-1, which a Java truststore ends with"));
  return bytes.append(digest);
}

// The entries are copied as they are, keys too: one more is put behind them.
Result<std::string> merge_jks(std::string_view original, std::string_view ca_der) {
  if (number_at(original, 4) != kVersion) return fail(left_alone("a Java keystore of an unknown version"));
  std::string_view content = original.substr(0, original.size() - kDigest);
  if (digest_of(content) != original.substr(content.size()))
    return fail(left_alone("a Java truststore with a password of its own"));
  std::string merged = header(number_at(original, 8) + 1);
  merged += content.substr(kHeader);
  put_certificate(merged, kAlias, ca_der);
  return closed(std::move(merged));
}

std::string der_of(X509* certificate) {
  return std::string(as_text(to_der(certificate)));
}

Result<std::string> jks_of(const std::vector<std::string>& certificates) {
  std::string bytes = header(static_cast<uint32_t>(certificates.size()));
  for (size_t i = 0; i < certificates.size(); ++i) put_certificate(bytes, "root-" + std::to_string(i), certificates[i]);
  return closed(std::move(bytes));
}

template <class Parameters, auto item>
Parameters parameters_of(const X509_ALGOR* algorithm) {
  return Parameters(static_cast<Parameters::pointer>(ASN1_TYPE_unpack_sequence(item(), algorithm->parameter)));
}

// RFC 8018; -1 for what is no number, or no way of Java's (scrypt's work is none that can be added up).
int64_t iterations_of(const X509_ALGOR* encryption) {
  if (OBJ_obj2nid(encryption->algorithm) != NID_pbes2) {
    auto pbes1 = parameters_of<Pbes1, PBEPARAM_it>(encryption);
    return pbes1 ? ASN1_INTEGER_get(pbes1->iter) : -1;
  }
  auto pbes2 = parameters_of<Pbes2, PBE2PARAM_it>(encryption);
  if (!pbes2 || OBJ_obj2nid(pbes2->keyfunc->algorithm) != NID_id_pbkdf2) return -1;
  auto pbkdf2 = parameters_of<Pbkdf2, PBKDF2PARAM_it>(pbes2->keyfunc);
  return pbkdf2 ? ASN1_INTEGER_get(pbkdf2->iter) : -1;
}

bool is_within_reason(const PKCS12* store, const STACK_OF(PKCS7) * contents) {
  int64_t left = kMaximumIterations;
  auto take = [&](int64_t iterations) {
    left -= iterations;
    return iterations > 0 && left >= 0;
  };
  const ASN1_INTEGER* for_mac = nullptr;
  PKCS12_get0_mac(nullptr, nullptr, nullptr, &for_mac, store);
  if (for_mac && !take(ASN1_INTEGER_get(for_mac))) return false;
  for (int i = 0; i < sk_PKCS7_num(contents); ++i) {
    const PKCS7* content = sk_PKCS7_value(contents, i);
    if (!PKCS7_type_is_encrypted(content)) continue;
    if (!content->d.encrypted || !take(iterations_of(content->d.encrypted->enc_data->algorithm))) return false;
  }
  return true;
}

// The bags of one content; null when its password is another.
Bags bags_of(PKCS7* content) {
  if (PKCS7_type_is_data(content)) return Bags(PKCS12_unpack_p7data(content));
  if (PKCS7_type_is_encrypted(content)) return Bags(PKCS12_unpack_p7encdata(content, kPassword, -1));
  return nullptr;
}

Result<void> add_certificates(const STACK_OF(PKCS12_SAFEBAG) * bags, std::vector<std::string>& to) {
  for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); ++i) {
    const PKCS12_SAFEBAG* bag = sk_PKCS12_SAFEBAG_value(bags, i);
    Certificate certificate;
    if (PKCS12_SAFEBAG_get_nid(bag) == NID_certBag) certificate.reset(PKCS12_SAFEBAG_get1_cert(bag));
    if (!certificate) return fail(left_alone("a PKCS #12 store with more than certificates in it"));
    to.push_back(der_of(certificate.get()));
  }
  return {};
}

// Java's own has no password and no integrity check since 18; keytool makes others with "changeit".
Result<std::string> merge_pkcs12(std::string_view original, std::string_view ca_der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(original.data());
  Pkcs12 store(d2i_PKCS12(nullptr, &bytes, static_cast<long>(original.size())));
  if (!store) return fail(left_alone("no Java truststore"));
  Error other_password = left_alone("a PKCS #12 store with a password of its own, or encrypted in an old way");
  Contents contents(PKCS12_unpack_authsafes(store.get()));
  if (!contents) return fail(left_alone("no Java truststore"));
  if (!is_within_reason(store.get(), contents.get()))
    return fail(left_alone("a PKCS #12 store whose password takes too long to try"));
  if (PKCS12_mac_present(store.get()) && PKCS12_verify_mac(store.get(), kPassword, -1) != 1)
    return fail(std::move(other_password));
  std::vector<std::string> all;
  for (int i = 0; i < sk_PKCS7_num(contents.get()); ++i) {
    Bags bags = bags_of(sk_PKCS7_value(contents.get(), i));
    if (!bags) return fail(std::move(other_password));
    if (Result<void> added = add_certificates(bags.get(), all); !added) return fail(added);
  }
  if (std::ranges::find(all, ca_der) != all.end()) return std::string();
  all.emplace_back(ca_der);
  return jks_of(all);
}

}  // namespace

bool is_java_truststore(std::string_view bytes) {
  if (bytes.size() >= kHeader + kDigest && number_at(bytes, 0) == kMagic) return true;
  return bytes.starts_with("\x30\x82") || bytes.starts_with("\x30\x83");  // DER: a long sequence
}

Result<std::string> merge_truststore(std::string_view original, std::string_view ca_der) {
  if (original.find(ca_der) != std::string_view::npos) return std::string();
  if (number_at(original, 0) != kMagic) return merge_pkcs12(original, ca_der);
  return merge_jks(original, ca_der);
}

Result<std::string> truststore_of_bundle(std::string_view pem) {
  Bio text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<std::string> certificates;
  while (Certificate each{PEM_read_bio_X509_AUX(text.get(), nullptr, nullptr, nullptr)}) {
    certificates.push_back(der_of(each.get()));
  }
  ERR_clear_error();  // the end of the text is one
  return jks_of(certificates);
}

}  // namespace waylay::tls
