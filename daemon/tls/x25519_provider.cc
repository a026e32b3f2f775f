// X25519 as OpenSSL's own provider has it, except that libsodium computes a new pair's public key, from its table of
// multiples of the base point: 17 us, where OpenSSL 3.0 takes 44, with limbs of 26 bits. All functions but five are the
// other's, and so are the keys, which ours are put into as any other way of getting a key would do it; what is agreed
// with a peer's key stays OpenSSL's as well, which has assembler for it.
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <sodium/core.h>
#include <sodium/crypto_scalarmult_curve25519.h>

#include <array>
#include <new>
#include <string_view>

#include "base/bytes.h"
#include "tls/key_schedule.h"
#include "tls/provider.h"

namespace waylay::tls {
namespace {

using Function = void (*)();
using Scalar = std::array<unsigned char, crypto_scalarmult_curve25519_BYTES>;

constexpr size_t kMostFunctions = 40;  // OpenSSL 3.5 has 21

struct Table {
  std::array<OSSL_DISPATCH, kMostFunctions> functions{};  // ends with a zero
  OSSL_FUNC_keymgmt_new_fn* create = nullptr;
  OSSL_FUNC_keymgmt_free_fn* destroy = nullptr;
  OSSL_FUNC_keymgmt_import_fn* import = nullptr;
};
Table table;  // filled once, before it is used

struct Generation {
  void* provider;
  int selection;
};

// There is one group, and libssl names it.
int generation_set(void*, const OSSL_PARAM params[]) {
  const OSSL_PARAM* group = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_GROUP_NAME);
  const char* name = nullptr;
  if (group == nullptr) return 1;
  return OSSL_PARAM_get_utf8_string_ptr(group, &name) == 1 && equals_ignoring_case(name, "x25519") ? 1 : 0;
}

const OSSL_PARAM* generation_settable(void*, void*) {
  static const OSSL_PARAM kSettable[] = {OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, nullptr, 0),
                                         OSSL_PARAM_END};
  return kSettable;
}

void generation_end(void* generation) {
  delete static_cast<Generation*>(generation);
}

void* generation_begin(void* provider, int selection, const OSSL_PARAM params[]) {
  if (generation_set(nullptr, params) != 1) return nullptr;
  return new (std::nothrow) Generation{provider, selection};
}

// RFC 7748 section 5: what scalars look like.
void clamp(Scalar& key) {
  key.front() &= 0xf8;
  key.back() = static_cast<unsigned char>((key.back() & 0x7f) | 0x40);
}

bool put_new_pair(void* key) {
  Scalar secret, open;
  if (RAND_priv_bytes(secret.data(), static_cast<int>(secret.size())) != 1) return false;
  clamp(secret);
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, open.data(), open.size()),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, secret.data(), secret.size()),
      OSSL_PARAM_construct_end()};
  bool put = crypto_scalarmult_curve25519_base(open.data(), secret.data()) == 0 &&
             table.import(key, OSSL_KEYMGMT_SELECT_KEYPAIR, params) == 1;
  OPENSSL_cleanse(secret.data(), secret.size());
  return put;
}

// Asked for parameters only, it is a key without content.
void* generate(void* asked, OSSL_CALLBACK*, void*) {
  const auto* generation = static_cast<const Generation*>(asked);
  void* key = table.create(generation->provider);
  if (key == nullptr || (generation->selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0 || put_new_pair(key)) return key;
  table.destroy(key);
  return nullptr;
}

Function ours_for(int function) {
  switch (function) {
    case OSSL_FUNC_KEYMGMT_GEN_INIT:
      return reinterpret_cast<Function>(generation_begin);
    case OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS:
      return reinterpret_cast<Function>(generation_set);
    case OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS:
      return reinterpret_cast<Function>(generation_settable);
    case OSSL_FUNC_KEYMGMT_GEN:
      return reinterpret_cast<Function>(generate);
    case OSSL_FUNC_KEYMGMT_GEN_CLEANUP:
      return reinterpret_cast<Function>(generation_end);
    default:
      return nullptr;
  }
}

void remember(const OSSL_DISPATCH& entry) {
  if (entry.function_id == OSSL_FUNC_KEYMGMT_NEW) table.create = OSSL_FUNC_keymgmt_new(&entry);
  if (entry.function_id == OSSL_FUNC_KEYMGMT_FREE) table.destroy = OSSL_FUNC_keymgmt_free(&entry);
  if (entry.function_id == OSSL_FUNC_KEYMGMT_IMPORT) table.import = OSSL_FUNC_keymgmt_import(&entry);
}

bool fill_functions(const OSSL_DISPATCH* theirs) {
  size_t count = 0, replaced = 0;
  for (; theirs->function_id != 0; ++theirs) {
    if (count + 1 == kMostFunctions) return false;
    remember(*theirs);
    Function ours = ours_for(theirs->function_id);
    table.functions[count++] = {theirs->function_id, ours != nullptr ? ours : theirs->function};
    replaced += ours != nullptr ? 1 : 0;
  }
  return replaced == 5 && table.create != nullptr && table.destroy != nullptr && table.import != nullptr;
}

}  // namespace

const OSSL_DISPATCH* x25519_key_functions(const OSSL_DISPATCH* theirs) {
  return fill_functions(theirs) && sodium_init() >= 0 ? table.functions.data() : nullptr;
}

}  // namespace waylay::tls
