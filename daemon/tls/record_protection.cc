#include "tls/record_protection.h"

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

}  // namespace

const RecordSuite* find_record_suite(std::string_view name) {
  for (const RecordSuite& suite : kSuites)
    if (suite.name == name) return &suite;
  return nullptr;
}

RecordProtection::RecordProtection(const RecordSuite& suite, Aead aead, const Secret& secret)
    : suite_(&suite), secret_(secret), aead_(std::move(aead)) {}

std::optional<RecordProtection> RecordProtection::make(const RecordSuite& suite, Direction direction,
                                                       const Secret& secret, uint64_t sequence) {
  CHECK(secret.bytes().size() == size_of(suite.hash));
  std::optional<Aead> aead = Aead::make(suite.cipher, direction);
  if (!aead) return std::nullopt;
  RecordProtection made(suite, std::move(*aead), secret);
  if (!made.set_key()) return std::nullopt;
  made.sequence_ = sequence;
  return made;
}

// RFC 8446 section 7.3.
bool RecordProtection::set_key() {
  std::array<std::byte, kLargestKey> bytes;
  std::span<std::byte> key = std::span(bytes).first(suite_->key_size);
  bool set = expand_label(suite_->hash, secret_.bytes(), "key", {}, key) &&
             expand_label(suite_->hash, secret_.bytes(), "iv", {}, iv_) && aead_.set_key(key);
  wipe(bytes);
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

// RFC 8446 section 5.3: the nonce is the record's number over the iv, never used twice.
bool RecordProtection::next_nonce(Nonce& nonce) {
  if (sequence_ == UINT64_MAX) return false;
  nonce = iv_;
  uint64_t number = sequence_++;
  for (size_t i = 0; i < 8; ++i) nonce[kNonce - 1 - i] ^= static_cast<std::byte>(number >> (8 * i) & 0xff);
  return true;
}

bool RecordProtection::seal(ContentType type, Bytes plaintext, std::byte* record) {
  CHECK(plaintext.size() <= kLargestPlaintext);
  size_t length = plaintext.size() + 1 + kTag;
  record[0] = std::byte(ContentType::ApplicationData);
  record[1] = record[2] = std::byte{3};  // the version that middleboxes expect
  record[3] = static_cast<std::byte>(length >> 8);
  record[4] = static_cast<std::byte>(length & 0xff);
  const std::byte inner_type{std::byte(type)};
  Nonce nonce;
  return next_nonce(nonce) &&
         aead_.seal(nonce, Bytes(record, kRecordHeader), plaintext, Bytes(&inner_type, 1), record + kRecordHeader);
}

bool RecordProtection::open(Bytes record, std::byte* out) {
  if (record.size() < kRecordHeader + 1 + kTag) return false;
  Nonce nonce;
  return next_nonce(nonce) && aead_.open(nonce, record.first(kRecordHeader), record.subspan(kRecordHeader), out);
}

}  // namespace waylay::tls
