#include "tls/record_layer.h"

#include <algorithm>
#include <array>

#include "tls/wire_reader.h"

namespace waylay::tls {
namespace {

enum class HandshakeType : uint8_t { NewSessionTicket = 4, KeyUpdate = 24 };

// OpenSSL's limits: records without content, and user_canceled alerts, in a row.
constexpr uint8_t kEmptyRecords = 32, kWarnings = 5;
constexpr uint8_t kKeyUpdates = 32;  // in a row, each of which costs us a new key: BoringSSL's limit
constexpr size_t kLargestTicket = 131338;
constexpr size_t kMessageHeader = 4;
constexpr std::byte kWarning{1}, kFatal{2};

size_t body_size(Bytes header) {
  return std::to_integer<size_t>(header[3]) << 8 | std::to_integer<size_t>(header[4]);
}

}  // namespace

RecordLayer::RecordLayer(const Start& start, RecordProtection reading, RecordProtection writing)
    : reading_(std::move(reading)),
      writing_(std::move(writing)),
      records_per_key_(start.records_per_key),
      is_server_(start.is_server) {}

std::unique_ptr<RecordLayer> RecordLayer::make(const Start& start) {
  using Direction = RecordProtection::Direction;
  auto reading = RecordProtection::make(start.suite, Direction::Opening, start.reading, start.records_read);
  auto writing = RecordProtection::make(start.suite, Direction::Sealing, start.writing, start.records_written);
  if (!reading || !writing) return nullptr;
  return std::unique_ptr<RecordLayer>(new RecordLayer(start, std::move(*reading), std::move(*writing)));
}

// --- Reading ---

RecordLayer::Event RecordLayer::next(Bytes& input, std::span<std::byte> scratch, Bytes& plaintext, ByteQueue& output) {
  while (held_.empty()) {
    Bytes record;
    if (failed_ || !take_record(input, record, output)) {
      input = {};
      return failed_ ? Event::Failed : Event::NeedMore;
    }
    bool fits = scratch.size() + kRecordHeader + kTag >= record.size();
    Content content;
    bool good = open(record, fits ? scratch.data() : held_.prepare(record.size()).data(), content, output);
    partial_.clear();
    if (!good) continue;
    if (content.type == ContentType::Alert) {
      Event event = on_alert(content.bytes, output);
      if (event == Event::CloseNotify) return event;
    } else if (content.type == ContentType::Handshake) {
      on_handshake(content.bytes, output);
    } else if (!content.bytes.empty() && fits) {
      plaintext = content.bytes;
      return Event::Plaintext;
    } else if (!content.bytes.empty()) {
      held_.commit(content.bytes.size());  // content begins where the record was opened to
    }
    if (held_.empty()) held_.clear();  // its memory
  }
  return give_out_held(scratch, plaintext);
}

RecordLayer::Event RecordLayer::give_out_held(std::span<std::byte> scratch, Bytes& plaintext) {
  size_t size = std::min(scratch.size(), held_.size());
  std::ranges::copy(held_.bytes().first(size), scratch.begin());
  wipe(std::span(const_cast<std::byte*>(held_.bytes().data()), size));
  held_.consume(size);
  plaintext = scratch.first(size);
  return Event::Plaintext;
}

// A whole record, where it was received or, if it came in pieces, in partial_.
bool RecordLayer::take_record(Bytes& input, Bytes& record, ByteQueue& output) {
  if (input.empty()) return false;
  if (partial_.empty() && input.size() >= kRecordHeader) {
    if (!header_is_good(input, output)) return false;
    size_t size = kRecordHeader + body_size(input);
    if (input.size() >= size) {
      record = input.first(size);
      input = input.subspan(size);
      return true;
    }
  }
  if (!gather(kRecordHeader, input) || !header_is_good(partial_.bytes(), output)) return false;
  if (!gather(kRecordHeader + body_size(partial_.bytes()), input)) return false;
  record = partial_.bytes();
  return true;
}

bool RecordLayer::gather(size_t size, Bytes& input) {
  if (partial_.size() >= size) return true;
  size_t missing = size - partial_.size();
  Bytes taken = input.first(std::min(missing, input.size()));
  input = input.subspan(taken.size());
  partial_.prepare(missing);
  partial_.append(taken);
  return taken.size() == missing;
}

// RFC 8446 section 5.2, judged as soon as the header is there. After the handshake there are no records in clear:
// neither alerts nor change_cipher_spec.
bool RecordLayer::header_is_good(Bytes header, ByteQueue& output) {
  if (header[1] != std::byte{3}) return fail(Alert::ProtocolVersion, "wrong version number", output);
  if (header[0] != std::byte(ContentType::ApplicationData))
    return fail(Alert::UnexpectedMessage, "bad record type", output);
  if (header[2] != std::byte{3}) return fail(Alert::DecodeError, "wrong version number", output);
  if (body_size(header) > kLargestCiphertext) return fail(Alert::RecordOverflow, "encrypted length too long", output);
  return true;
}

bool RecordLayer::open(Bytes record, std::byte* to, Content& content, ByteQueue& output) {
  if (!reading_.open(record, to)) return fail(Alert::BadRecordMac, "decryption failed or bad record mac", output);
  Bytes inner(to, record.size() - kRecordHeader - kTag);
  size_t end = inner.size();
  while (end > 0 && inner[end - 1] == std::byte{0}) --end;  // padding
  if (end == 0) return fail(Alert::UnexpectedMessage, "bad record type", output);
  content = {static_cast<ContentType>(inner[end - 1]), inner.first(end - 1)};
  return content_is_good(content, output);
}

// RFC 8446 sections 5.1 and 5.4.
bool RecordLayer::content_is_good(const Content& content, ByteQueue& output) {
  bool data = content.type == ContentType::ApplicationData, handshake = content.type == ContentType::Handshake;
  if (!data && !handshake && content.type != ContentType::Alert)
    return fail(Alert::UnexpectedMessage, "bad record type", output);
  if (!data && content.bytes.empty()) return fail(Alert::UnexpectedMessage, "bad length", output);
  if (content.bytes.size() > kLargestPlaintext) return fail(Alert::RecordOverflow, "data length too long", output);
  if (!handshake && !handshake_.empty())
    return fail(Alert::UnexpectedMessage, "mixed handshake and non handshake data", output);
  if (content.bytes.empty()) {
    if (++empty_records_ > kEmptyRecords) return fail(Alert::UnexpectedMessage, "record too small", output);
    return true;
  }
  empty_records_ = 0;
  if (data || handshake) warnings_ = 0;
  if (data) key_updates_ = 0;
  return true;
}

// RFC 8446 section 6: whatever its level says, an alert is an error, but for these two. Its sender gets no answer.
RecordLayer::Event RecordLayer::on_alert(Bytes alert, ByteQueue& output) {
  if (alert.size() != 2) {
    fail(Alert::UnexpectedMessage, "invalid alert", output);
    return Event::Failed;
  }
  auto description = static_cast<Alert>(alert[1]);
  if (description != Alert::CloseNotify) received_alert_ = std::to_integer<int>(alert[1]);
  bool warning = alert[0] == kWarning || description == Alert::UserCanceled;
  if (warning && ++warnings_ == kWarnings) {
    fail(Alert::UnexpectedMessage, "too many warn alerts", output);
    return Event::Failed;
  }
  if (description == Alert::CloseNotify) return Event::CloseNotify;
  if (description == Alert::UserCanceled) return Event::NeedMore;
  failed_ = true;
  return Event::Failed;
}

bool RecordLayer::on_handshake(Bytes content, ByteQueue& output) {
  handshake_.append(content);
  while (handshake_.size() >= kMessageHeader) {
    // An answer is due before our next data (section 4.6.3); OpenSSL gives it when the peer goes on, too.
    if (key_update_asked_ && !closed_ && !send_key_update(output)) return false;
    Bytes held = handshake_.bytes();
    WireReader header(held.first(kMessageHeader));
    uint8_t type = header.u8();
    size_t size = size_t{header.u8()} << 16;
    size |= header.u16();
    if (!message_is_expected(type, size, output)) return false;
    if (held.size() - kMessageHeader < size) return true;
    Bytes body = held.subspan(kMessageHeader, size);
    bool ends_record = held.size() == kMessageHeader + size;
    bool good = static_cast<HandshakeType>(type) == HandshakeType::KeyUpdate ? on_key_update(body, ends_record, output)
                                                                             : on_ticket(body, output);
    if (!good) return false;
    handshake_.consume(kMessageHeader + size);
  }
  return true;
}

// What may come after a handshake (RFC 8446 section 4.6) when authentication after it was not offered.
bool RecordLayer::message_is_expected(uint8_t type, size_t size, ByteQueue& output) {
  bool key_update = static_cast<HandshakeType>(type) == HandshakeType::KeyUpdate;
  bool ticket = static_cast<HandshakeType>(type) == HandshakeType::NewSessionTicket && !is_server_;
  if (!key_update && !ticket) return fail(Alert::UnexpectedMessage, "unexpected message", output);
  if (size > (ticket ? kLargestTicket : 1)) return fail(Alert::IllegalParameter, "excessive message size", output);
  return true;
}

// RFC 8446 section 4.6.3.
bool RecordLayer::on_key_update(Bytes body, bool ends_record, ByteQueue& output) {
  if (!ends_record) return fail(Alert::UnexpectedMessage, "not on record boundary", output);
  if (body.size() != 1) return fail(Alert::DecodeError, "bad key update", output);
  if (body[0] > std::byte{1}) return fail(Alert::IllegalParameter, "bad key update", output);
  if (++key_updates_ > kKeyUpdates) return fail(Alert::UnexpectedMessage, "too many key updates", output);
  if (!reading_.update()) return fail(Alert::InternalError, "renewing the key failed", output);
  if (body[0] == std::byte{1}) key_update_asked_ = true;
  return true;
}

// RFC 8446 section 4.6.1. Sessions are kept of the tickets that OpenSSL has read; this one comes too late for that.
bool RecordLayer::on_ticket(Bytes body, ByteQueue& output) {
  WireReader reader(body);
  reader.skip(4 + 4);  // lifetime, age_add
  reader.bytes8();     // nonce
  bool empty = reader.bytes16().empty();
  WireReader extensions = reader.vector16();
  while (!extensions.empty() && !extensions.failed()) {
    extensions.skip(2);
    extensions.bytes16();
  }
  bool good = !empty && reader.finished() && extensions.finished();
  return good || fail(Alert::DecodeError, "bad session ticket", output);
}

// --- Writing ---

bool RecordLayer::write(Bytes plaintext, ByteQueue& output) {
  if (failed_ || closed_) return false;
  if (key_update_asked_ && !send_key_update(output)) return false;
  size_t records = (plaintext.size() + kLargestPlaintext - 1) / kLargestPlaintext;
  output.prepare(plaintext.size() + records * RecordProtection::sealed_size(0));
  while (!plaintext.empty()) {
    if (writing_.sequence() >= records_per_key_ && !send_key_update(output)) return false;
    Bytes chunk = plaintext.first(std::min(plaintext.size(), kLargestPlaintext));
    if (!send(ContentType::ApplicationData, chunk, output)) return false;
    plaintext = plaintext.subspan(chunk.size());
  }
  return true;
}

void RecordLayer::close(ByteQueue& output) {
  if (failed_ || closed_) return;
  const std::array<std::byte, 2> alert = {kWarning, std::byte(Alert::CloseNotify)};
  send(ContentType::Alert, alert, output);
  closed_ = true;
}

// Ours never asks for the peer's, which may end up in both asking for ever.
bool RecordLayer::send_key_update(ByteQueue& output) {
  const std::array<std::byte, 5> message = {std::byte(HandshakeType::KeyUpdate), {}, {}, std::byte{1}, {}};
  key_update_asked_ = false;
  if (!send(ContentType::Handshake, message, output)) return false;
  if (writing_.update()) return true;
  failed_ = true;
  problem_ = "renewing the key failed";
  return false;
}

bool RecordLayer::send(ContentType type, Bytes plaintext, ByteQueue& output) {
  size_t size = RecordProtection::sealed_size(plaintext.size());
  if (writing_.seal(type, plaintext, output.prepare(size).data())) {
    output.commit(size);
    return true;
  }
  failed_ = true;
  problem_ = "sealing a record failed";
  return false;
}

// Behind a close_notify nothing may be sent, not even this.
bool RecordLayer::fail(Alert alert, std::string_view problem, ByteQueue& output) {
  const std::array<std::byte, 2> fatal = {kFatal, std::byte(alert)};
  if (!closed_) send(ContentType::Alert, fatal, output);
  failed_ = true;
  problem_ = problem;
  return false;
}

}  // namespace waylay::tls
