#include "tls/provider.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <string_view>

namespace waylay::tls {
namespace {

constexpr char kProvider[] = "waylay";
constexpr char kQuery[] = "?provider=waylay";  // "?": preferred, not required

// For the life of the process: OpenSSL's own cleaning at exit still needs the providers.
struct Providers {
  OSSL_PROVIDER* standard = nullptr;
  OSSL_PROVIDER* ours = nullptr;
  X25519Algorithms x25519;
};
Providers providers;

const OSSL_ALGORITHM* query(void*, int operation, int* no_cache) {
  *no_cache = 0;
  switch (operation) {
    case OSSL_OP_KDF:
      return key_schedule_algorithms();
    case OSSL_OP_KEYMGMT:
      return providers.x25519.keys;
    case OSSL_OP_KEYEXCH:
      return providers.x25519.exchange;
    default:
      return nullptr;
  }
}

struct GroupReceiver {
  OSSL_CALLBACK* receive;
  void* argument;
};

int pass_on_x25519(const OSSL_PARAM params[], void* argument) {
  const OSSL_PARAM* algorithm = OSSL_PARAM_locate_const(params, OSSL_CAPABILITY_TLS_GROUP_ALG);
  const char* name = nullptr;
  if (algorithm == nullptr || OSSL_PARAM_get_utf8_string_ptr(algorithm, &name) != 1) return 1;
  const auto* receiver = static_cast<const GroupReceiver*>(argument);
  return std::string_view(name) == "X25519" ? receiver->receive(params, receiver->argument) : 1;
}

// libssl has a group only from the provider that it would fetch the group's keys from.
int capabilities(void*, const char* capability, OSSL_CALLBACK* receive, void* argument) {
  if (providers.x25519.keys == nullptr || std::string_view(capability) != "TLS-GROUP") return 1;
  GroupReceiver receiver{receive, argument};
  return OSSL_PROVIDER_get_capabilities(providers.standard, capability, pass_on_x25519, &receiver);
}

using Function = void (*)();
const OSSL_DISPATCH kOurProvider[] = {{OSSL_FUNC_PROVIDER_QUERY_OPERATION, reinterpret_cast<Function>(query)},
                                      {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, reinterpret_cast<Function>(capabilities)},
                                      {0, nullptr}};

// Our context is that of OpenSSL's own provider, whose functions we hand out.
int start(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH** out, void** context) {
  *out = kOurProvider;
  *context = OSSL_PROVIDER_get0_provider_ctx(providers.standard);
  return 1;
}

// Naming a provider ends the silent loading of the default one, which must then be named as well.
bool load() {
  providers.standard = OSSL_PROVIDER_load(nullptr, "default");
  if (providers.standard != nullptr && OSSL_PROVIDER_add_builtin(nullptr, kProvider, start) == 1) {
    providers.x25519 = x25519_algorithms(providers.standard);
    providers.ours = OSSL_PROVIDER_load(nullptr, kProvider);
  }
  ERR_clear_error();
  return providers.ours != nullptr;
}

}  // namespace

const char* provider_query() {
  static const bool loaded = load();
  return loaded ? kQuery : nullptr;
}

}  // namespace waylay::tls
