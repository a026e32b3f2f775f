#include "tls/aead.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <array>
#include <cstring>
#include <string>

#include "base/check.h"

namespace waylay::tls {

struct AeadFunctions {
  EVP_CIPHER* cipher = nullptr;  // kept for ever: it keeps the provider, whose functions these are
  void* provider = nullptr;      // its context
  OSSL_FUNC_cipher_newctx_fn* make = nullptr;
  OSSL_FUNC_cipher_freectx_fn* free = nullptr;
  OSSL_FUNC_cipher_encrypt_init_fn* begin_sealing = nullptr;
  OSSL_FUNC_cipher_decrypt_init_fn* begin_opening = nullptr;
  OSSL_FUNC_cipher_update_fn* update = nullptr;
  OSSL_FUNC_cipher_final_fn* finish = nullptr;
  OSSL_FUNC_cipher_get_ctx_params_fn* get = nullptr;

  bool complete() const { return make && free && begin_sealing && begin_opening && update && finish && get; }
};

namespace {

AeadFunctions functions_in(const OSSL_DISPATCH* table) {
  AeadFunctions found;
  for (; table->function_id != 0; ++table) {
    switch (table->function_id) {
      case OSSL_FUNC_CIPHER_NEWCTX:
        found.make = OSSL_FUNC_cipher_newctx(table);
        break;
      case OSSL_FUNC_CIPHER_FREECTX:
        found.free = OSSL_FUNC_cipher_freectx(table);
        break;
      case OSSL_FUNC_CIPHER_ENCRYPT_INIT:
        found.begin_sealing = OSSL_FUNC_cipher_encrypt_init(table);
        break;
      case OSSL_FUNC_CIPHER_DECRYPT_INIT:
        found.begin_opening = OSSL_FUNC_cipher_decrypt_init(table);
        break;
      case OSSL_FUNC_CIPHER_UPDATE:
        found.update = OSSL_FUNC_cipher_update(table);
        break;
      case OSSL_FUNC_CIPHER_FINAL:
        found.finish = OSSL_FUNC_cipher_final(table);
        break;
      case OSSL_FUNC_CIPHER_GET_CTX_PARAMS:
        found.get = OSSL_FUNC_cipher_get_ctx_params(table);
        break;
      default:  // what else it does is not asked of it
        break;
    }
  }
  return found;
}

// `names` are an algorithm's: "AES-128-GCM:id-aes128-GCM:2.16.840.1.101.3.4.1.6".
bool is_one_of(std::string_view name, std::string_view names) {
  for (;;) {
    size_t end = names.find(':');
    if (equals_ignoring_case(names.substr(0, end), name)) return true;
    if (end == std::string_view::npos) return false;
    names.remove_prefix(end + 1);
  }
}

// Of the provider that OpenSSL's configuration chooses.
AeadFunctions look_up(const char* name) {
  EVP_CIPHER* cipher = EVP_CIPHER_fetch(nullptr, name, nullptr);
  if (cipher == nullptr) return {};
  const OSSL_PROVIDER* provider = EVP_CIPHER_get0_provider(cipher);
  int changes = 0;
  const OSSL_ALGORITHM* algorithm = OSSL_PROVIDER_query_operation(provider, OSSL_OP_CIPHER, &changes);
  for (; algorithm != nullptr && algorithm->algorithm_names != nullptr; ++algorithm) {
    if (!is_one_of(name, algorithm->algorithm_names)) continue;
    AeadFunctions found = functions_in(algorithm->implementation);
    found.provider = OSSL_PROVIDER_get0_provider_ctx(provider);
    found.cipher = cipher;
    return found;
  }
  EVP_CIPHER_free(cipher);
  return {};
}

// Looked up once for the whole process. Null: there is none.
const AeadFunctions* functions_of(std::string_view name) {
  struct Known {
    const char* name;
    AeadFunctions functions = look_up(name);
  };
  static const std::array<Known, 3> all = {{{"AES-128-GCM"}, {"AES-256-GCM"}, {"ChaCha20-Poly1305"}}};
  for (const Known& known : all)
    if (known.name == name && known.functions.complete()) return &known.functions;
  return nullptr;
}

unsigned char* writable_u8(std::byte* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}

}  // namespace

void Aead::FreeContext::operator()(void* context) const noexcept {
  functions->free(context);
}

Aead::Aead(const AeadFunctions& functions, Direction direction)
    : functions_(&functions), direction_(direction), context_(functions.make(functions.provider), {&functions}) {}

std::optional<Aead> Aead::make(const char* cipher, Direction direction) {
  const AeadFunctions* functions = functions_of(cipher);
  if (functions == nullptr) return std::nullopt;
  Aead made(*functions, direction);
  if (!made.context_) return std::nullopt;
  return made;
}

bool Aead::begin(Bytes key, Bytes nonce, const OSSL_PARAM* params) {
  auto* function = direction_ == Direction::Sealing ? functions_->begin_sealing : functions_->begin_opening;
  return function(context_.get(), key.empty() ? nullptr : as_u8(key), key.size(),
                  nonce.empty() ? nullptr : as_u8(nonce), nonce.size(), params) == 1;
}

bool Aead::set_key(Bytes key) {
  return begin(key, {}, nullptr);
}

// Without `out` it is associated data.
bool Aead::update(Bytes in, std::byte* out) {
  if (in.empty()) return true;
  size_t size = 0;
  return functions_->update(context_.get(), writable_u8(out), &size, in.size(), as_u8(in), in.size()) == 1;
}

// These ciphers keep no text back that would come out now.
bool Aead::finish() {
  size_t size = 0;
  return functions_->finish(context_.get(), nullptr, &size, 0) == 1;
}

bool Aead::seal(Bytes nonce, Bytes associated, Bytes first, Bytes second, std::byte* out) {
  CHECK(direction_ == Direction::Sealing && nonce.size() == kNonce);
  std::byte* tag = out + first.size() + second.size();
  bool sealed = begin({}, nonce, nullptr) && update(associated, nullptr) && update(first, out) &&
                update(second, out + first.size()) && finish();
  OSSL_PARAM wanted[] = {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, kTag), OSSL_PARAM_END};
  return sealed && functions_->get(context_.get(), wanted) == 1;
}

bool Aead::open(Bytes nonce, Bytes associated, Bytes sealed, std::byte* out) {
  CHECK(direction_ == Direction::Opening && nonce.size() == kNonce);
  if (sealed.size() < kTag) return false;
  Bytes ciphertext = sealed.first(sealed.size() - kTag);
  std::array<std::byte, kTag> tag;  // OSSL_PARAM wants it writable
  std::memcpy(tag.data(), ciphertext.data() + ciphertext.size(), kTag);
  const OSSL_PARAM expected[] = {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag.data(), kTag),
                                 OSSL_PARAM_END};
  return begin({}, nonce, expected) && update(associated, nullptr) && update(ciphertext, out) && finish();
}

}  // namespace waylay::tls
