// TLS13-KDF: what libssl 3.0 to 3.5 derives every secret of TLS 1.3 with. It always passes the whole question with one
// call of derive (EVP_KDF-TLS13_KDF(7)), so a context of ours has no state.
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <cstring>

#include "base/check.h"
#include "tls/key_schedule.h"
#include "tls/provider.h"

namespace waylay::tls {
namespace {

thread_local TrafficSecrets* capturing = nullptr;

struct Question {
  int mode = -1;
  std::string_view digest;
  Bytes key, salt, prefix, label, data;
};

Question read(const OSSL_PARAM* params) {
  Question question;
  for (; params != nullptr && params->key != nullptr; ++params) {
    std::string_view name = params->key;
    Bytes value = as_bytes(params->data, params->data_size);
    if (name == OSSL_KDF_PARAM_KEY) {
      question.key = value;
    } else if (name == OSSL_KDF_PARAM_LABEL) {
      question.label = value;
    } else if (name == OSSL_KDF_PARAM_DATA) {
      question.data = value;
    } else if (name == OSSL_KDF_PARAM_PREFIX) {
      question.prefix = value;
    } else if (name == OSSL_KDF_PARAM_SALT) {
      question.salt = value;
    } else if (name == OSSL_KDF_PARAM_DIGEST) {
      question.digest = static_cast<const char*>(params->data);  // ends with a zero, whatever its size says
    } else if (name == OSSL_KDF_PARAM_MODE) {
      OSSL_PARAM_get_int(params, &question.mode);
    }
  }
  return question;
}

// All the names that OpenSSL has for the two.
bool find_hash(std::string_view name, Hash& hash) {
  if (name == "SHA2-256" || name == "SHA256" || name == "SHA-256") {
    hash = Hash::Sha256;
    return true;
  }
  hash = Hash::Sha384;
  return name == "SHA2-384" || name == "SHA384" || name == "SHA-384";
}

// RFC 8446 section 7.1 and 7.2.
void capture(std::string_view label, Bytes secret) {
  if (capturing == nullptr) return;
  if (label == "c ap traffic") capturing->client = Secret(secret);
  if (label == "s ap traffic") capturing->server = Secret(secret);
  if (label == "traffic upd") capturing->updated = true;
}

int derive(void*, unsigned char* out, size_t size, const OSSL_PARAM params[]) {
  Question question = read(params);
  Hash hash;
  if (out == nullptr || as_text(question.prefix) != "tls13 " || !find_hash(question.digest, hash)) return 0;
  std::span<std::byte> result(reinterpret_cast<std::byte*>(out), size);
  std::string_view label = as_text(question.label);
  if (question.mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY)
    return next_extract(hash, question.salt, label, question.key, result) ? 1 : 0;
  if (question.mode != EVP_KDF_HKDF_MODE_EXPAND_ONLY) return 0;
  if (!expand_label(hash, question.key, label, question.data, result)) return 0;
  if (size == size_of(hash)) capture(label, result);
  return 1;
}

void* new_context(void* provider) {
  return provider;
}
void free_context(void*) {}
void reset_context(void*) {}

const OSSL_PARAM* settable(void*, void*) {
  static const OSSL_PARAM kNothing[] = {OSSL_PARAM_END};
  return kNothing;
}
int set_params(void*, const OSSL_PARAM params[]) {
  return params == nullptr || params->key == nullptr ? 1 : 0;
}

using Function = void (*)();
const OSSL_DISPATCH kKdf[] = {{OSSL_FUNC_KDF_NEWCTX, reinterpret_cast<Function>(new_context)},
                              {OSSL_FUNC_KDF_FREECTX, reinterpret_cast<Function>(free_context)},
                              {OSSL_FUNC_KDF_RESET, reinterpret_cast<Function>(reset_context)},
                              {OSSL_FUNC_KDF_DERIVE, reinterpret_cast<Function>(derive)},
                              {OSSL_FUNC_KDF_SETTABLE_CTX_PARAMS, reinterpret_cast<Function>(settable)},
                              {OSSL_FUNC_KDF_SET_CTX_PARAMS, reinterpret_cast<Function>(set_params)},
                              {0, nullptr}};
}  // namespace

const OSSL_DISPATCH* key_schedule_functions() {
  return kKdf;
}

SecretsCapture::SecretsCapture(TrafficSecrets* into) {
  CHECK(capturing == nullptr);
  capturing = into;
}

SecretsCapture::~SecretsCapture() {
  capturing = nullptr;
}

}  // namespace waylay::tls
