// One direction of a TLS 1.3 connection's records (RFC 8446 sections 5.2 to 5.5): a traffic secret, the AEAD context
// made from it and the number of the next record. Knows nothing of what records say.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "tls/aead.h"
#include "tls/key_schedule.h"

namespace waylay::tls {

constexpr size_t kRecordHeader = 5;
constexpr size_t kLargestPlaintext = 16 * 1024;
constexpr size_t kLargestCiphertext = kLargestPlaintext + 256;

enum class ContentType : uint8_t { ChangeCipherSpec = 20, Alert = 21, Handshake = 22, ApplicationData = 23 };

struct RecordSuite {
  std::string_view name;  // "TLS_AES_128_GCM_SHA256"
  Hash hash;
  const char* cipher;  // OpenSSL's name of the AEAD
  size_t key_size;
};

const RecordSuite* find_record_suite(std::string_view name);  // null: none that we protect records with

class RecordProtection {
 public:
  using Direction = Aead::Direction;
  // `sequence`: how many records this secret has protected already. None: OpenSSL refused.
  static std::optional<RecordProtection> make(const RecordSuite& suite, Direction direction, const Secret& secret,
                                              uint64_t sequence);

  static constexpr size_t sealed_size(size_t plaintext) { return kRecordHeader + plaintext + 1 + kTag; }

  // A whole record of one content type into `record`, which has sealed_size() bytes and does not overlap `plaintext`.
  bool seal(ContentType type, Bytes plaintext, std::byte* record);

  // The inner plaintext, with its type and padding, into `out`, which has room for what `record` has beyond header and
  // tag. False: not what the peer sealed; `out` has then been written to and means nothing.
  bool open(Bytes record, std::byte* out);

  // RFC 8446 section 7.2: the next secret, from record zero on.
  bool update();

  uint64_t sequence() const { return sequence_; }

 private:
  using Nonce = std::array<std::byte, kNonce>;

  RecordProtection(const RecordSuite& suite, Aead aead, const Secret& secret);
  bool set_key();
  bool next_nonce(Nonce& nonce);

  const RecordSuite* suite_;
  Secret secret_;
  Nonce iv_{};
  uint64_t sequence_ = 0;
  Aead aead_;
};

}  // namespace waylay::tls
