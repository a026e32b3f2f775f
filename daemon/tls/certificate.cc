#include "tls/certificate.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

namespace waylay::tls {
namespace {

using MemoryBio = Handle<BIO, BIO_free_all>;
using GeneralNames = Handle<GENERAL_NAMES, GENERAL_NAMES_free>;
using BigNumber = Handle<BIGNUM, BN_free>;

void free_text(char* text) {
  OPENSSL_free(text);
}
using OpensslText = Handle<char, free_text>;

constexpr size_t kSummaryNames = 200;

std::string bio_text(BIO* bio) {
  const char* data = nullptr;
  long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

std::string name_text(const X509_NAME* name) {
  MemoryBio bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253);
  return bio_text(bio.get());
}

std::string ip_text(const ASN1_OCTET_STRING* address) {
  char text[INET6_ADDRSTRLEN] = "";
  int size = ASN1_STRING_length(address);
  if (size == 4) inet_ntop(AF_INET, ASN1_STRING_get0_data(address), text, sizeof text);
  if (size == 16) inet_ntop(AF_INET6, ASN1_STRING_get0_data(address), text, sizeof text);
  return text;
}

// An upstream's certificate may hold anything; what is not the text of a name (a NUL, a blank) is left out.
std::string dns_text(const ASN1_IA5STRING* name) {
  Bytes bytes = as_bytes(ASN1_STRING_get0_data(name), static_cast<size_t>(ASN1_STRING_length(name)));
  std::string_view text = as_text(bytes);
  bool printable = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
  return printable ? std::string(text) : std::string();
}

int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<int64_t>(timegm(&parts)) : 0;
}

std::string serial_text(X509* certificate) {
  BigNumber number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  OpensslText text(number ? BN_bn2hex(number.get()) : nullptr);
  return text ? text.get() : "";
}

std::string key_text(X509* certificate) {
  EVP_PKEY* key = X509_get0_pubkey(certificate);
  if (key == nullptr) return "unknown";
  int bits = EVP_PKEY_get_bits(key);
  const char* kind = EVP_PKEY_get0_type_name(key);
  if (EVP_PKEY_is_a(key, "EC")) return "EC P-" + std::to_string(bits);
  return std::string(kind == nullptr ? "unknown" : kind) + " " + std::to_string(bits);
}

// OpenSSL would ask for it on a terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

}  // namespace

Fingerprint fingerprint_of(const X509* certificate) {
  Fingerprint fingerprint{};
  unsigned size = 0;
  if (certificate == nullptr) return fingerprint;
  X509_digest(certificate, EVP_sha256(), reinterpret_cast<unsigned char*>(fingerprint.data()), &size);
  return fingerprint;
}

CertificateSummary summarize(X509* certificate) {
  CertificateSummary summary;
  summary.subject = name_text(X509_get_subject_name(certificate));
  summary.issuer = name_text(X509_get_issuer_name(certificate));
  summary.names = subject_alternative_names(certificate, kSummaryNames);
  summary.not_before_s = not_before_s(certificate);
  summary.not_after_s = not_after_s(certificate);
  summary.serial = serial_text(certificate);
  summary.key = key_text(certificate);
  summary.fingerprint = to_hex(fingerprint_of(certificate));
  return summary;
}

std::vector<std::string> subject_alternative_names(const X509* certificate, size_t at_most) {
  std::vector<std::string> texts;
  GeneralNames names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()) && texts.size() < at_most; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    std::string text;
    if (name->type == GEN_DNS) text = dns_text(name->d.dNSName);
    if (name->type == GEN_IPADD) text = ip_text(name->d.iPAddress);
    if (!text.empty()) texts.push_back(std::move(text));
  }
  return texts;
}

int64_t not_after_s(const X509* certificate) {
  return seconds_of(X509_get0_notAfter(certificate));
}
int64_t not_before_s(const X509* certificate) {
  return seconds_of(X509_get0_notBefore(certificate));
}

Result<Certificate> certificate_from_pem(std::string_view pem) {
  MemoryBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!certificate) return fail(openssl_error(ErrorKind::Invalid, "reading a certificate in PEM"));
  return certificate;
}

Result<PrivateKey> private_key_from_pem(std::string_view pem) {
  MemoryBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  PrivateKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key) return fail(openssl_error(ErrorKind::Invalid, "reading a private key (PEM, without a passphrase)"));
  return key;
}

Result<std::string> to_pem(X509* certificate) {
  MemoryBio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), certificate) != 1) {
    return fail(openssl_error(ErrorKind::Invalid, "writing a certificate as PEM"));
  }
  return bio_text(bio.get());
}

std::vector<std::byte> to_der(X509* certificate) {
  int size = i2d_X509(certificate, nullptr);
  if (size <= 0) return {};
  std::vector<std::byte> der(static_cast<size_t>(size));
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  i2d_X509(certificate, &out);
  return der;
}

}  // namespace waylay::tls
