#define OPENSSL_SUPPRESS_DEPRECATED  // the hashes without look-ups: since 3.0 OpenSSL would rather have them fetched

#include "tls/key_schedule.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>

#include "base/check.h"

namespace waylay::tls {
namespace {

constexpr std::string_view kPrefix = "tls13 ";

struct Sha256 {
  static constexpr size_t kSize = 32, kBlock = 64;
  SHA256_CTX state;
  void begin() { SHA256_Init(&state); }
  void add(const void* data, size_t size) { SHA256_Update(&state, data, size); }
  void end(unsigned char* out) { SHA256_Final(out, &state); }
};

struct Sha384 {
  static constexpr size_t kSize = 48, kBlock = 128;
  SHA512_CTX state;
  void begin() { SHA384_Init(&state); }
  void add(const void* data, size_t size) { SHA384_Update(&state, data, size); }
  void end(unsigned char* out) { SHA384_Final(out, &state); }
};

// RFC 2104. A key is a secret of the schedule, or at most the shared secret of a large group, which is hashed first.
template <class H>
void hmac(Bytes key, std::initializer_list<Bytes> parts, unsigned char* out) {
  H hash;
  unsigned char pad[H::kBlock] = {};
  if (key.size() > H::kBlock) {
    hash.begin();
    hash.add(key.data(), key.size());
    hash.end(pad);
  } else if (!key.empty()) {
    std::memcpy(pad, key.data(), key.size());
  }
  for (unsigned char& byte : pad) byte ^= 0x36;
  hash.begin();
  hash.add(pad, sizeof pad);
  for (Bytes part : parts) hash.add(part.data(), part.size());
  unsigned char inner[H::kSize];
  hash.end(inner);
  for (unsigned char& byte : pad) byte ^= 0x36 ^ 0x5c;
  hash.begin();
  hash.add(pad, sizeof pad);
  hash.add(inner, sizeof inner);
  hash.end(out);
  OPENSSL_cleanse(pad, sizeof pad);
  OPENSSL_cleanse(inner, sizeof inner);
  OPENSSL_cleanse(&hash, sizeof hash);
}

// RFC 5869 section 2.3.
template <class H>
void expand(Bytes secret, Bytes info, std::span<std::byte> out) {
  unsigned char block[H::kSize];
  Bytes before;
  for (unsigned char counter = 1; !out.empty(); ++counter) {
    hmac<H>(secret, {before, info, as_bytes(&counter, 1)}, block);
    before = as_bytes(block, sizeof block);
    size_t taken = std::min(out.size(), before.size());
    std::memcpy(out.data(), block, taken);
    out = out.subspan(taken);
  }
  OPENSSL_cleanse(block, sizeof block);
}

// The structure HkdfLabel, RFC 8446 section 7.1.
class HkdfLabel {
 public:
  bool fill(size_t size, std::string_view label, Bytes context) {
    if (kPrefix.size() + label.size() > 255 || context.size() > kLargestHash) return false;
    add(std::byte(size >> 8));
    add(std::byte(size & 0xff));
    add(std::byte(kPrefix.size() + label.size()));
    add(as_bytes(kPrefix));
    add(as_bytes(label));
    add(std::byte(context.size()));
    add(context);
    return true;
  }
  Bytes bytes() const { return Bytes(bytes_).first(size_); }

 private:
  void add(std::byte byte) { bytes_[size_++] = byte; }
  void add(Bytes bytes) {
    if (!bytes.empty()) std::memcpy(bytes_.data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  std::array<std::byte, 2 + 1 + 255 + 1 + kLargestHash> bytes_;
  size_t size_ = 0;
};

template <class H>
bool extract(Bytes previous, std::string_view label, Bytes keying, std::span<std::byte> out) {
  static constexpr unsigned char kZeros[H::kSize] = {};
  std::array<std::byte, H::kSize> salt;
  if (!previous.empty()) {
    unsigned char nothing[H::kSize];  // the hash of no messages
    H hash;
    hash.begin();
    hash.end(nothing);
    HkdfLabel info;
    if (!info.fill(H::kSize, label, as_bytes(nothing, sizeof nothing))) return false;
    expand<H>(previous, info.bytes(), salt);
  }
  if (keying.empty()) keying = as_bytes(kZeros, sizeof kZeros);
  hmac<H>(previous.empty() ? Bytes() : Bytes(salt), {keying}, reinterpret_cast<unsigned char*>(out.data()));
  OPENSSL_cleanse(salt.data(), salt.size());
  return true;
}

}  // namespace

Secret::Secret(Bytes bytes) : size_(static_cast<uint8_t>(bytes.size())) {
  CHECK(bytes.size() <= kLargestHash);
  std::ranges::copy(bytes, bytes_.begin());
}

Secret::~Secret() {
  wipe(bytes_);
}

void wipe(std::span<std::byte> bytes) {
  OPENSSL_cleanse(bytes.data(), bytes.size());
}

bool expand_label(Hash hash, Bytes secret, std::string_view label, Bytes context, std::span<std::byte> out) {
  HkdfLabel info;
  if (out.size() > 255 * size_of(hash) || !info.fill(out.size(), label, context)) return false;
  hash == Hash::Sha256 ? expand<Sha256>(secret, info.bytes(), out) : expand<Sha384>(secret, info.bytes(), out);
  return true;
}

bool next_extract(Hash hash, Bytes previous, std::string_view label, Bytes keying, std::span<std::byte> out) {
  if (out.size() != size_of(hash)) return false;
  return hash == Hash::Sha256 ? extract<Sha256>(previous, label, keying, out)
                              : extract<Sha384>(previous, label, keying, out);
}

}  // namespace waylay::tls
