#include "tls/provider.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

namespace waylay::tls {
namespace {

using Algorithms = std::vector<OSSL_ALGORITHM>;  // as OpenSSL wants them: with an empty one at the end

constexpr char kProvider[] = "waylay";

// For the life of the process: OpenSSL's own cleaning at exit still needs the provider.
struct Provider {
  OSSL_PROVIDER* standard = nullptr;
  Algorithms kdfs, ciphers, keys, decoders;
};
Provider provider;

// "AES-128-GCM:id-aes128-GCM:..." has three.
std::string_view first_name(const OSSL_ALGORITHM& algorithm) {
  std::string_view names = algorithm.algorithm_names;
  return names.substr(0, names.find(':'));
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// A fifth of OpenSSL's: 0.1 MiB less.
bool is_for_tls(const OSSL_ALGORITHM& cipher) {
  constexpr std::string_view kModes[] = {"-GCM", "-CCM", "-CBC", "ChaCha20-Poly1305", "NULL"};
  return std::ranges::any_of(kModes, [&](std::string_view mode) { return has(first_name(cipher), mode); });
}

// Secrets that EVP_PKEY may hold as well; libssl does so with HMAC's only.
bool is_key(const OSSL_ALGORITHM& keys) {
  constexpr std::string_view kSecrets[] = {"CMAC", "HKDF", "POLY1305", "SCRYPT", "SIPHASH", "TLS1-PRF"};
  return std::ranges::find(kSecrets, first_name(keys)) == std::end(kSecrets);
}

// What a certificate has in it, of whatever kind.
bool is_of_certificates(const OSSL_ALGORITHM& decoder) {
  std::string_view properties = decoder.property_definition;
  return has(properties, "input=der") && has(properties, "structure=SubjectPublicKeyInfo");
}

template <class Wanted>
Algorithms standard_ones(int operation, Wanted wanted) {
  int no_cache = 0;
  const OSSL_ALGORITHM* each = OSSL_PROVIDER_query_operation(provider.standard, operation, &no_cache);
  Algorithms chosen;
  for (; each != nullptr && each->algorithm_names != nullptr; ++each)
    if (wanted(*each)) chosen.push_back(*each);
  chosen.push_back({});
  return chosen;
}

OSSL_ALGORITHM* find(Algorithms& algorithms, std::string_view name) {
  auto found = std::find_if(algorithms.begin(), algorithms.end() - 1,
                            [&](const OSSL_ALGORITHM& each) { return first_name(each) == name; });
  return found == algorithms.end() - 1 ? nullptr : &*found;
}

bool fill() {
  auto all = [](const OSSL_ALGORITHM&) { return true; };
  provider.kdfs = standard_ones(OSSL_OP_KDF, all);
  provider.ciphers = standard_ones(OSSL_OP_CIPHER, is_for_tls);
  provider.keys = standard_ones(OSSL_OP_KEYMGMT, is_key);
  provider.decoders = standard_ones(OSSL_OP_DECODER, is_of_certificates);
  OSSL_ALGORITHM* key_schedule = find(provider.kdfs, "TLS13-KDF");
  OSSL_ALGORITHM* x25519 = find(provider.keys, "X25519");
  if (key_schedule == nullptr || x25519 == nullptr) return false;
  key_schedule->implementation = key_schedule_functions();
  x25519->implementation = x25519_key_functions(x25519->implementation);
  return x25519->implementation != nullptr;
}

const OSSL_ALGORITHM* query(void*, int operation, int* no_cache) {
  *no_cache = 0;
  switch (operation) {
    case OSSL_OP_KDF:
      return provider.kdfs.data();
    case OSSL_OP_CIPHER:
      return provider.ciphers.data();
    case OSSL_OP_KEYMGMT:
      return provider.keys.data();
    case OSSL_OP_DECODER:
      return provider.decoders.data();
    case OSSL_OP_ENCODER:
    case OSSL_OP_STORE:
      return nullptr;
    default:
      return OSSL_PROVIDER_query_operation(provider.standard, operation, no_cache);
  }
}

// Groups of TLS.
int capabilities(void*, const char* capability, OSSL_CALLBACK* receive, void* argument) {
  return OSSL_PROVIDER_get_capabilities(provider.standard, capability, receive, argument);
}

using Function = void (*)();
const OSSL_DISPATCH kOurProvider[] = {{OSSL_FUNC_PROVIDER_QUERY_OPERATION, reinterpret_cast<Function>(query)},
                                      {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, reinterpret_cast<Function>(capabilities)},
                                      {0, nullptr}};

// Our context is that of OpenSSL's own provider, whose functions we hand out.
int start(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH** out, void** context) {
  *out = kOurProvider;
  *context = OSSL_PROVIDER_get0_provider_ctx(provider.standard);
  return 1;
}

OSSL_LIB_CTX* make() {
  // Naming a provider ends the silent loading of the default one, which must then be named as well.
  provider.standard = OSSL_PROVIDER_load(nullptr, "default");
  if (provider.standard == nullptr || EVP_default_properties_is_fips_enabled(nullptr) == 1 || !fill()) return nullptr;
  OSSL_LIB_CTX* library = OSSL_LIB_CTX_new();
  if (library != nullptr && OSSL_PROVIDER_add_builtin(library, kProvider, start) == 1 &&
      OSSL_PROVIDER_load(library, kProvider) != nullptr) {
    return library;
  }
  OSSL_LIB_CTX_free(library);
  return nullptr;
}

}  // namespace

OSSL_LIB_CTX* tls_library() {
  static OSSL_LIB_CTX* const library = [] {
    OSSL_LIB_CTX* made = make();
    ERR_clear_error();
    return made;
  }();
  return library;
}

}  // namespace waylay::tls
