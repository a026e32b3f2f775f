#include "tls/client_hello.h"

#include <algorithm>

#include "base/address.h"
#include "tls/ja4.h"
#include "tls/wire_reader.h"

namespace waylay::tls {
namespace {

constexpr uint8_t kHandshakeRecord = 22;
constexpr uint8_t kClientHelloMessage = 1;
constexpr size_t kRecordHeader = 5;
constexpr size_t kMessageHeader = 4;
constexpr size_t kMaxFragment = 1 << 14;  // RFC 8446 section 5.1

enum Extension : uint16_t {
  kServerName = 0,
  kSupportedGroups = 10,
  kSignatureAlgorithms = 13,
  kAlpn = 16,
  kSessionTicket = 35,
  kPreSharedKey = 41,
  kEarlyData = 42,
  kSupportedVersions = 43,
  kEncryptedClientHello = 0xfe0d,
};

std::unexpected<Error> not_tls(std::string_view reason) {
  return fail(Error::client(ErrorKind::Protocol, "not TLS: " + std::string(reason)));
}

std::unexpected<Error> malformed(std::string_view reason) {
  return fail(Error::client(ErrorKind::Protocol, "malformed ClientHello: " + std::string(reason)));
}

std::unexpected<Error> too_long() {
  return fail(Error::client(ErrorKind::Limit, "the ClientHello is longer than 64 KiB"));
}

uint8_t at(Bytes bytes, size_t index) {
  return std::to_integer<uint8_t>(bytes[index]);
}

// Judges as much of a record's header as is there.
Result<void> check_record_header(Bytes header) {
  if (at(header, 0) != kHandshakeRecord) return not_tls("the first byte is not a handshake record's");
  if (header.size() > 1 && at(header, 1) != 3) return not_tls("the record's version is not 3.x");
  if (header.size() > 2 && at(header, 2) > 4) return not_tls("the record's version is not 3.0 to 3.4");
  if (header.size() < kRecordHeader) return {};
  size_t length = static_cast<size_t>(at(header, 3)) << 8 | at(header, 4);
  // RFC 8446 section 5.1: handshake messages are never sent in empty fragments.
  if (length == 0) return malformed("an empty record");
  if (length > kMaxFragment) return malformed("a record longer than 16 KiB");
  return {};
}

// The handshake message out of its records. `message` lies in `received` where one record holds all of it, else in
// `joined`.
struct Message {
  Bytes body;
  std::vector<std::byte> joined;
};

class MessageAssembly {
 public:
  // Takes the next fragment; true when the message is complete.
  Result<bool> add(Bytes fragment) {
    pieces_.push_back(fragment);
    size_ += fragment.size();
    for (size_t i = 0; header_seen_ < kMessageHeader && i < fragment.size(); ++i) {
      header_[header_seen_++] = at(fragment, i);
    }
    if (header_[0] != kClientHelloMessage) return not_tls("the first handshake message is not a ClientHello");
    if (header_seen_ < kMessageHeader) return false;
    if (needed() > kMaxClientHelloBytes) return too_long();
    return size_ >= needed();
  }

  Message take() const {
    Message message;
    if (pieces_.size() == 1) {
      message.body = pieces_[0].subspan(kMessageHeader, needed() - kMessageHeader);
      return message;
    }
    message.joined.reserve(size_);
    for (Bytes piece : pieces_) message.joined.insert(message.joined.end(), piece.begin(), piece.end());
    message.body = Bytes(message.joined).subspan(kMessageHeader, needed() - kMessageHeader);
    return message;
  }

 private:
  size_t needed() const {
    return kMessageHeader + (static_cast<size_t>(header_[1]) << 16 | static_cast<size_t>(header_[2]) << 8 | header_[3]);
  }

  std::vector<Bytes> pieces_;
  size_t size_ = 0;
  size_t header_seen_ = 0;
  uint8_t header_[kMessageHeader] = {};
};

Result<std::optional<Message>> read_message(Bytes received) {
  MessageAssembly assembly;
  Bytes rest = received;
  while (!rest.empty()) {
    if (Result<void> header = check_record_header(rest); !header) return fail(header);
    if (rest.size() < kRecordHeader) break;
    size_t length = static_cast<size_t>(at(rest, 3)) << 8 | at(rest, 4);
    Bytes fragment = rest.subspan(kRecordHeader, std::min(length, rest.size() - kRecordHeader));
    if (!fragment.empty()) {
      Result<bool> complete = assembly.add(fragment);
      if (!complete) return fail(complete);
      if (*complete) return std::optional<Message>(assembly.take());
    }
    rest = rest.subspan(kRecordHeader + fragment.size());
    if (fragment.size() < length) break;
  }
  if (received.size() >= kMaxClientHelloBytes) return too_long();
  return std::optional<Message>();
}

Result<void> read_server_name(WireReader data, ClientHello& hello) {
  WireReader list = data.vector16();
  uint8_t type = list.u8();
  std::string_view name = as_text(list.bytes16());
  // RFC 6066 section 3: host_name (0) is the only type, and there is at most one name of a type.
  if (!data.finished() || !list.finished() || type != 0) return malformed("its server_name extension cannot be read");
  Result<std::string> normalized = normalize_host_name(name);
  if (!normalized) return malformed(normalized.error().message);
  hello.server_name = std::move(*normalized);
  return {};
}

Result<void> read_alpn(WireReader data, ClientHello& hello) {
  WireReader list = data.vector16();
  while (!list.empty()) {
    std::string_view protocol = as_text(list.bytes8());
    if (list.failed() || protocol.empty()) return malformed("its ALPN extension cannot be read");
    hello.alpn.emplace_back(protocol);
  }
  if (!data.finished() || hello.alpn.empty()) return malformed("its ALPN extension cannot be read");
  return {};
}

Result<void> read_numbers(WireReader data, WireReader list, std::vector<uint16_t>& numbers, std::string_view what) {
  while (!list.empty() && !list.failed()) numbers.push_back(list.u16());
  if (!data.finished() || !list.finished() || numbers.empty()) {
    return malformed("its list of " + std::string(what) + " cannot be read");
  }
  return {};
}

Result<void> read_extension(uint16_t type, Bytes bytes, ClientHello& hello) {
  WireReader data(bytes);
  switch (type) {
    case kServerName:
      return read_server_name(data, hello);
    case kAlpn:
      return read_alpn(data, hello);
    case kSupportedGroups: {
      WireReader list = data.vector16();
      return read_numbers(data, list, hello.groups, "groups");
    }
    case kSignatureAlgorithms: {
      WireReader list = data.vector16();
      return read_numbers(data, list, hello.signature_algorithms, "signature algorithms");
    }
    case kSupportedVersions: {
      WireReader list = data.vector8();
      return read_numbers(data, list, hello.versions, "versions");
    }
    case kSessionTicket:
      hello.offers_resumption |= !bytes.empty();
      return {};
    case kPreSharedKey:
      hello.offers_resumption = true;
      return {};
    case kEarlyData:
      hello.has_early_data = true;
      return {};
    case kEncryptedClientHello:
      hello.has_ech = true;
      return {};
    default:
      return {};
  }
}

Result<void> read_extensions(WireReader extensions, ClientHello& hello) {
  while (!extensions.empty()) {
    uint16_t type = extensions.u16();
    Bytes data = extensions.bytes16();
    if (extensions.failed()) return malformed("an extension is cut off");
    hello.extensions.push_back(type);
    if (Result<void> read = read_extension(type, data, hello); !read) return fail(read);
  }
  // RFC 8446 section 4.2: no two extensions of one type. Readers that disagree on which one counts would see two names.
  std::vector<uint16_t> sorted = hello.extensions;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) return malformed("an extension occurs twice");
  return {};
}

// Without supported_versions the legacy version is the highest one offered (RFC 8446 section 4.2.1).
void conclude_versions(ClientHello& hello) {
  auto offers = [&](uint16_t version) { return std::ranges::find(hello.versions, version) != hello.versions.end(); };
  hello.tls13 = offers(0x0304);
  hello.tls12 = hello.versions.empty() ? hello.legacy_version >= 0x0303 : offers(0x0303);
}

// RFC 8446 section 4.1.2, field by field.
Result<ClientHello> read_hello(Bytes body) {
  ClientHello hello;
  WireReader reader(body);
  hello.legacy_version = reader.u16();
  reader.skip(32);  // random
  Bytes session_id = reader.bytes8();
  WireReader ciphers = reader.vector16();
  Bytes compression = reader.bytes8();
  if (reader.failed() || session_id.size() > 32 || compression.empty()) return malformed("it is cut off");
  if (hello.legacy_version >> 8 != 3) return malformed("its version is not 3.x");
  while (!ciphers.empty() && !ciphers.failed()) hello.ciphers.push_back(ciphers.u16());
  if (ciphers.failed() || hello.ciphers.empty()) return malformed("its list of cipher suites cannot be read");

  if (!reader.empty()) {  // before TLS 1.3 a hello may end here
    WireReader extensions = reader.vector16();
    if (!reader.finished()) return malformed("its extensions do not end where it ends");
    if (Result<void> read = read_extensions(extensions, hello); !read) return fail(read);
  }
  conclude_versions(hello);
  hello.ja4 = ja4_fingerprint(hello);
  return hello;
}

bool is_host_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  size_t label = 0;
  for (char c : name) {
    if (c == '.' && label == 0) return false;
    if (c != '.' && !is_host_name_character(c)) return false;
    label = c == '.' ? 0 : label + 1;
    if (label > 63) return false;
  }
  return label > 0;
}

}  // namespace

Result<std::optional<ClientHello>> parse_client_hello(Bytes received) {
  Result<std::optional<Message>> message = read_message(received);
  if (!message) return fail(message);
  if (!*message) return std::optional<ClientHello>();
  Result<ClientHello> hello = read_hello((*message)->body);
  if (!hello) return fail(hello);
  return std::optional<ClientHello>(std::move(*hello));
}

Result<std::string> normalize_host_name(std::string_view name) {
  std::string lower = to_lower(name);
  if (lower.size() > 1 && lower.back() == '.') lower.pop_back();
  if (is_host_name(lower)) return lower;
  if (is_ip_literal(lower)) return lower;
  // The name itself is not repeated: it may hold anything.
  return fail(Error::local(ErrorKind::Invalid, "the name is neither a host name nor an IP address"));
}

bool is_ip_literal(std::string_view name) {
  return Address::parse_ip(name, 0).has_value();
}

}  // namespace waylay::tls
