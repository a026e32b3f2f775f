// One direction's key of an AEAD of TLS 1.3 (RFC 5116), by OpenSSL's implementation, which is asked through the
// provider's own functions (provider-cipher(7), provider(7)). They are the same that EVP calls, with the same memory
// behind them; what EVP does before and after each call costs as much as sealing 150 bytes.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <optional>

#include "base/bytes.h"

namespace waylay::tls {

constexpr size_t kTag = 16;
constexpr size_t kNonce = 12;

struct AeadFunctions;

class Aead {
 public:
  enum class Direction { Sealing, Opening };
  // `cipher` is OpenSSL's name of it: "AES-128-GCM". None: OpenSSL has it not.
  static std::optional<Aead> make(const char* cipher, Direction direction);

  bool set_key(Bytes key);

  // `out` has room for `first`, `second` and the tag, and overlaps neither. `nonce` has kNonce bytes, and is never used
  // twice with one key.
  bool seal(Bytes nonce, Bytes associated, Bytes first, Bytes second, std::byte* out);

  // `out` has room for `sealed` without its tag, and may be where it is. False: not what was sealed; `out` has then
  // been written to and means nothing.
  bool open(Bytes nonce, Bytes associated, Bytes sealed, std::byte* out);

 private:
  struct FreeContext {
    const AeadFunctions* functions;
    void operator()(void* context) const noexcept;  // wipes the key
  };

  Aead(const AeadFunctions& functions, Direction direction);
  bool begin(Bytes key, Bytes nonce, const OSSL_PARAM* params);
  bool update(Bytes in, std::byte* out);
  bool finish();

  const AeadFunctions* functions_;
  Direction direction_;
  std::unique_ptr<void, FreeContext> context_;
};

}  // namespace waylay::tls
