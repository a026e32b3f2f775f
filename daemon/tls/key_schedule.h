// The functions of TLS 1.3's key schedule (RFC 8446 section 7.1, over RFC 5869 and RFC 2104), computed on the spot.
// OpenSSL 3.0 does the same through three look-ups and a dozen allocations for each secret, which costs more than the
// hashing. libssl gets them by our provider (provider.h), which meanwhile sees a connection's traffic secrets.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace waylay::tls {

enum class Hash : uint8_t { Sha256, Sha384 };
constexpr size_t kLargestHash = 48;
constexpr size_t size_of(Hash hash) {
  return hash == Hash::Sha256 ? 32 : 48;
}

// A secret of the key schedule, wiped when it goes. Never printed.
class Secret {
 public:
  Secret() = default;
  explicit Secret(Bytes bytes);  // at most kLargestHash
  ~Secret();
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;

  bool empty() const { return size_ == 0; }
  Bytes bytes() const { return Bytes(bytes_).first(size_); }

 private:
  std::array<std::byte, kLargestHash> bytes_{};
  uint8_t size_ = 0;
};

void wipe(std::span<std::byte> bytes);

// HKDF-Expand-Label: `label` without its "tls13 ". False where a length does not fit into the structure.
bool expand_label(Hash hash, Bytes secret, std::string_view label, Bytes context, std::span<std::byte> out);

// From one row of the schedule to the next: Derive-Secret(previous, `label`, "") as the salt of HKDF-Extract. An empty
// `previous` is the schedule's beginning, empty `keying` the zeros that stand for none. `out` has the hash's size.
bool next_extract(Hash hash, Bytes previous, std::string_view label, Bytes keying, std::span<std::byte> out);

// Both ends' secrets for application data, of one connection.
struct TrafficSecrets {
  Secret client, server;
  bool updated = false;  // a KeyUpdate has replaced one of them: these are no longer what OpenSSL uses
};

// Between its making and its end, what this thread's handshakes derive is copied to `into`, if that is not null. One at
// a time.
class SecretsCapture {
 public:
  explicit SecretsCapture(TrafficSecrets* into);
  ~SecretsCapture();
  SecretsCapture(const SecretsCapture&) = delete;
  SecretsCapture& operator=(const SecretsCapture&) = delete;
};

}  // namespace waylay::tls
