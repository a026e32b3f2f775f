// The records of an open TLS 1.3 connection without OpenSSL's SSL: takes a connection over after its handshake, at an
// exact boundary of records in both directions, so that the SSL can be freed (15 KiB each). Without I/O: ciphertext
// comes in as spans, goes out into a ByteQueue. What RFC 8446 leaves open is done as OpenSSL 3.0 does it.
//
//   Open --CloseNotify--> (the owner stops asking)      any --Failed--> (an alert has been written)
//
// A record is opened from where it was received to where its content is wanted, and sealed into the output: no byte is
// copied besides. Only a record that did not arrive in one piece is gathered first.
#pragma once

#include <memory>

#include "base/byte_queue.h"
#include "tls/alert.h"
#include "tls/record_protection.h"

namespace waylay::tls {

class RecordLayer {
 public:
  struct Start {
    const RecordSuite& suite;
    bool is_server;
    Secret reading, writing;                 // application traffic secrets
    uint64_t records_read, records_written;  // with these secrets so far
    // RFC 8446 section 5.5: AES-GCM is safe for 2^24.5 full records under one key. It is renewed before.
    uint64_t records_per_key = uint64_t{1} << 24;
  };
  static std::unique_ptr<RecordLayer> make(const Start& start);  // null: OpenSSL refused

  enum class Event { NeedMore, Plaintext, CloseNotify, Failed };

  // Takes from the front of `input`: all of it before NeedMore. `plaintext` is set with Event::Plaintext; it lies in
  // `scratch` or in here, until the next call.
  Event next(Bytes& input, std::span<std::byte> scratch, Bytes& plaintext, ByteQueue& output);

  bool write(Bytes plaintext, ByteQueue& output);  // false: failed
  void close(ByteQueue& output);                   // close_notify, once; nothing can be written afterwards
  bool closed() const { return closed_; }

  int received_alert() const { return received_alert_; }  // the last one besides close_notify; -1: none
  std::string_view problem() const { return problem_; }   // after Failed; empty: the received alert was fatal

 private:
  RecordLayer(const Start& start, RecordProtection reading, RecordProtection writing);

  struct Content {
    ContentType type;
    Bytes bytes;
  };
  bool take_record(Bytes& input, Bytes& record, ByteQueue& output);  // false: more is needed, or failed
  bool gather(size_t size, Bytes& input);
  bool header_is_good(Bytes header, ByteQueue& output);
  bool open(Bytes record, std::byte* to, Content& content, ByteQueue& output);
  bool content_is_good(const Content& content, ByteQueue& output);
  Event on_alert(Bytes alert, ByteQueue& output);
  bool on_handshake(Bytes content, ByteQueue& output);
  bool message_is_expected(uint8_t type, size_t size, ByteQueue& output);
  bool on_key_update(Bytes body, bool ends_record, ByteQueue& output);
  bool on_ticket(Bytes body, ByteQueue& output);
  Event give_out_held(std::span<std::byte> scratch, Bytes& plaintext);
  bool send(ContentType type, Bytes plaintext, ByteQueue& output);
  bool send_key_update(ByteQueue& output);
  bool fail(Alert alert, std::string_view problem, ByteQueue& output);

  RecordProtection reading_, writing_;
  const uint64_t records_per_key_;
  const bool is_server_;
  bool closed_ = false, failed_ = false;
  bool key_update_asked_ = false;                               // the peer wants our key renewed before our next data
  uint8_t empty_records_ = 0, warnings_ = 0, key_updates_ = 0;  // in a row
  int received_alert_ = -1;
  std::string_view problem_;
  ByteQueue partial_;    // a record that has not come wholly
  ByteQueue handshake_;  // a handshake message that has not come wholly
  ByteQueue held_;       // data for which the scratch had no room
};

}  // namespace waylay::tls
