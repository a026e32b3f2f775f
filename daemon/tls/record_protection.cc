#include "tls/record_protection.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <cstring>

#include "base/check.h"

namespace waylay::tls {
namespace {

// RFC 8446 appendix B.4.
constexpr RecordSuite kSuites[] = {
    {"TLS_AES_128_GCM_SHA256", Hash::Sha256, "AES-128-GCM", 16},
    {"TLS_AES_256_GCM_SHA384", Hash::Sha384, "AES-256-GCM", 32},
    {"TLS_CHACHA20_POLY1305_SHA256", Hash::Sha256, "ChaCha20-Poly1305", 32},
};
constexpr size_t kLargestKey = 32;

// Looked up once for the whole process: a look-up costs as much as sealing a small record.
const EVP_CIPHER* cipher_of(const RecordSuite& suite) {
  static const auto ciphers = [] {
    std::array<EVP_CIPHER*, std::size(kSuites)> fetched{};
    for (size_t i = 0; i < fetched.size(); ++i) fetched[i] = EVP_CIPHER_fetch(nullptr, kSuites[i].cipher, nullptr);
    return fetched;
  }();
  return ciphers[static_cast<size_t>(&suite - kSuites)];
}

unsigned char* writable_u8(std::byte* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}

}  // namespace

const RecordSuite* find_record_suite(std::string_view name) {
  for (const RecordSuite& suite : kSuites)
    if (suite.name == name) return &suite;
  return nullptr;
}

void free_cipher_context(EVP_CIPHER_CTX* context) {
  EVP_CIPHER_CTX_free(context);  // wipes the key
}

RecordProtection::RecordProtection(const RecordSuite& suite, Direction direction, Secret secret)
    : suite_(&suite), direction_(direction), secret_(secret), context_(EVP_CIPHER_CTX_new()) {}

std::optional<RecordProtection> RecordProtection::make(const RecordSuite& suite, Direction direction, Secret secret,
                                                       uint64_t sequence) {
  CHECK(secret.bytes().size() == size_of(suite.hash));
  RecordProtection made(suite, direction, secret);
  if (!made.context_ || cipher_of(suite) == nullptr || !made.set_key()) return std::nullopt;
  made.sequence_ = sequence;
  return made;
}

// RFC 8446 section 7.3.
bool RecordProtection::set_key() {
  std::array<std::byte, kLargestKey> key;
  bool derived = expand_label(suite_->hash, secret_.bytes(), "key", {}, std::span(key).first(suite_->key_size)) &&
                 expand_label(suite_->hash, secret_.bytes(), "iv", {}, iv_);
  const EVP_CIPHER* cipher = EVP_CIPHER_CTX_get0_cipher(context_.get()) == nullptr ? cipher_of(*suite_) : nullptr;
  int sealing = direction_ == Direction::Sealing ? 1 : 0;
  bool set =
      derived && EVP_CipherInit_ex2(context_.get(), cipher, writable_u8(key.data()), nullptr, sealing, nullptr) == 1;
  wipe(key);
  sequence_ = 0;
  return set;
}

bool RecordProtection::update() {
  std::array<std::byte, kLargestHash> next;
  std::span<std::byte> used = std::span(next).first(size_of(suite_->hash));
  bool derived = expand_label(suite_->hash, secret_.bytes(), "traffic upd", {}, used);
  if (derived) secret_ = Secret(used);
  wipe(next);
  return derived && set_key();
}

// RFC 8446 section 5.3: the nonce is the record's number over the iv, never used twice; the header is authenticated.
bool RecordProtection::begin_record(const OSSL_PARAM* params, Bytes header) {
  if (sequence_ == UINT64_MAX) return false;
  std::array<std::byte, 12> nonce = iv_;
  uint64_t number = sequence_++;
  for (size_t i = 0; i < 8; ++i) nonce[11 - i] ^= static_cast<std::byte>(number >> (8 * i) & 0xff);
  int size = 0;
  return EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, writable_u8(nonce.data()), -1, params) == 1 &&
         EVP_CipherUpdate(context_.get(), nullptr, &size, as_u8(header), static_cast<int>(header.size())) == 1;
}

bool RecordProtection::seal(ContentType type, Bytes plaintext, std::byte* record) {
  CHECK(direction_ == Direction::Sealing && plaintext.size() <= kLargestPlaintext);
  size_t length = plaintext.size() + 1 + kTag;
  record[0] = std::byte(ContentType::ApplicationData);
  record[1] = record[2] = std::byte{3};  // the version that middleboxes expect
  record[3] = static_cast<std::byte>(length >> 8);
  record[4] = static_cast<std::byte>(length & 0xff);
  if (!begin_record(nullptr, Bytes(record, kRecordHeader))) return false;

  unsigned char* out = writable_u8(record + kRecordHeader);
  const auto inner_type = static_cast<unsigned char>(type);
  int size = 0;
  if (!plaintext.empty() &&
      EVP_CipherUpdate(context_.get(), out, &size, as_u8(plaintext), static_cast<int>(plaintext.size())) != 1)
    return false;
  out += plaintext.size();
  if (EVP_CipherUpdate(context_.get(), out, &size, &inner_type, 1) != 1) return false;
  ++out;
  if (EVP_CipherFinal_ex(context_.get(), out, &size) != 1) return false;
  OSSL_PARAM tag[] = {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, out, kTag), OSSL_PARAM_END};
  return EVP_CIPHER_CTX_get_params(context_.get(), tag) == 1;
}

bool RecordProtection::open(Bytes record, std::byte* out) {
  CHECK(direction_ == Direction::Opening);
  if (record.size() < kRecordHeader + 1 + kTag) return false;
  Bytes ciphertext = record.subspan(kRecordHeader, record.size() - kRecordHeader - kTag);
  std::array<std::byte, kTag> expected;  // OSSL_PARAM wants it writable
  std::memcpy(expected.data(), ciphertext.data() + ciphertext.size(), kTag);
  const OSSL_PARAM tag[] = {OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, expected.data(), kTag),
                            OSSL_PARAM_END};
  int size = 0;
  unsigned char* to = writable_u8(out);
  return begin_record(tag, record.first(kRecordHeader)) &&
         EVP_CipherUpdate(context_.get(), to, &size, as_u8(ciphertext), static_cast<int>(ciphertext.size())) == 1 &&
         EVP_CipherFinal_ex(context_.get(), to + ciphertext.size(), &size) == 1;
}

}  // namespace waylay::tls
