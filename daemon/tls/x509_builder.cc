#define OPENSSL_SUPPRESS_DEPRECATED  // EC_KEY, RSA: see make_p256_key_for_certificates
#include "tls/x509_builder.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace waylay::tls {
namespace {

using Extension = Handle<X509_EXTENSION, X509_EXTENSION_free>;
using BigNumber = Handle<BIGNUM, BN_free>;
using EcKey = Handle<EC_KEY, EC_KEY_free>;
using Integer = Handle<ASN1_INTEGER, ASN1_INTEGER_free>;
using RsaKey = Handle<RSA, RSA_free>;

}  // namespace

Result<PrivateKey> make_p256_key() {
  PrivateKey key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  if (!key) return fail(openssl_error(ErrorKind::Unavailable, "making a P-256 key"));
  return key;
}

Result<PrivateKey> make_p256_key_for_certificates() {
  EcKey made(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
  PrivateKey key(EVP_PKEY_new());
  bool good = made && key && EC_KEY_generate_key(made.get()) == 1 && EVP_PKEY_set1_EC_KEY(key.get(), made.get()) == 1;
  if (!good) return fail(openssl_error(ErrorKind::Unavailable, "making a P-256 key"));
  return key;
}

Result<PrivateKey> make_rsa2048_key_for_certificates() {
  RsaKey made(RSA_new());
  BigNumber exponent(BN_new());
  PrivateKey key(EVP_PKEY_new());
  bool good = made && exponent && key && BN_set_word(exponent.get(), RSA_F4) == 1 &&
              RSA_generate_key_ex(made.get(), 2048, exponent.get(), nullptr) == 1 &&
              EVP_PKEY_set1_RSA(key.get(), made.get()) == 1;
  if (!good) return fail(openssl_error(ErrorKind::Unavailable, "making an RSA key"));
  return key;
}

bool set_random_serial(X509* certificate) {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7f) | 0x40);  // positive, and no leading zeros
  Integer serial(ASN1_INTEGER_new());
  return serial && ASN1_STRING_set(serial.get(), bytes, sizeof bytes) == 1 &&
         X509_set_serialNumber(certificate, serial.get()) == 1;
}

bool set_validity(X509* certificate, int64_t from_s, int64_t until_s) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), from_s) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), until_s) != nullptr;
}

bool set_common_name(X509* certificate, const std::string& name) {
  const auto* text = reinterpret_cast<const unsigned char*>(name.data());
  X509_NAME* subject = X509_get_subject_name(certificate);
  return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, text, static_cast<int>(name.size()), -1,
                                    0) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509V3_set_ctx_nodb(&context);
  Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

}  // namespace waylay::tls
