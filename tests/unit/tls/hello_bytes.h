// ClientHellos as bytes: as OpenSSL sends them, cut into other records, or built by hand.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "unit/tls/support.h"

namespace waylay::tls::testing {

using Buffer = std::vector<std::byte>;

inline void append(Buffer& to, Bytes bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}
inline void append_u8(Buffer& to, size_t value) {
  to.push_back(static_cast<std::byte>(value));
}
inline void append_u16(Buffer& to, size_t value) {
  append_u8(to, value >> 8);
  append_u8(to, value & 0xff);
}

// A hello as OpenSSL sends it.
inline Buffer openssl_hello(const std::string& name, const std::vector<std::string>& alpn, int version = 0) {
  SslCtx context = client_context("", version);
  ByteQueue output;
  Channel channel = plain_client(context.get(), name, &output, alpn);
  channel.start();
  return {output.bytes().begin(), output.bytes().end()};
}

// The same handshake message in records of at most `fragment` bytes.
inline Buffer refragmented(const Buffer& hello, size_t fragment) {
  Buffer message, out;
  for (size_t at = 0; at < hello.size();) {
    size_t length = std::to_integer<size_t>(hello[at + 3]) << 8 | std::to_integer<size_t>(hello[at + 4]);
    append(message, Bytes(hello).subspan(at + 5, length));
    at += 5 + length;
  }
  for (size_t at = 0; at < message.size(); at += fragment) {
    Bytes piece = Bytes(message).subspan(at, std::min(fragment, message.size() - at));
    append_u8(out, 22);
    append_u16(out, 0x0301);
    append_u16(out, piece.size());
    append(out, piece);
  }
  return out;
}

// A hello built by hand, for what OpenSSL would never send.
struct HandMade {
  uint16_t version = 0x0303;
  std::vector<uint16_t> ciphers = {0x1301};
  std::vector<std::pair<uint16_t, Buffer>> extensions = {};
  std::vector<uint8_t> compression = {0};  // none

  Buffer message() const {
    Buffer body;
    append_u16(body, version);
    body.resize(body.size() + 32);
    append_u8(body, 0);  // session id
    append_u16(body, ciphers.size() * 2);
    for (uint16_t cipher : ciphers) append_u16(body, cipher);
    append_u8(body, compression.size());
    for (uint8_t method : compression) append_u8(body, method);
    Buffer list;
    for (auto& [type, data] : extensions) {
      append_u16(list, type);
      append_u16(list, data.size());
      append(list, data);
    }
    append_u16(body, list.size());
    append(body, list);
    Buffer message;
    append_u8(message, 1);
    append_u8(message, body.size() >> 16);
    append_u16(message, body.size() & 0xffff);
    append(message, body);
    return message;
  }
  Buffer record() const {
    Buffer whole = message(), out;
    append_u8(out, 22);
    append_u16(out, 0x0301);
    append_u16(out, whole.size());
    append(out, whole);
    return out;
  }
};

inline Buffer numbers(const std::vector<uint16_t>& values, size_t length_bytes) {
  Buffer out;
  if (length_bytes == 2) append_u8(out, values.size() * 2 >> 8);
  append_u8(out, values.size() * 2 & 0xff);
  for (uint16_t value : values) append_u16(out, value);
  return out;
}

inline Buffer server_name(std::string_view name, size_t type = 0) {
  Buffer out;
  append_u16(out, name.size() + 3);
  append_u8(out, type);
  append_u16(out, name.size());
  append(out, as_bytes(name));
  return out;
}

// RFC 9849 section 5, ECHClientHello of the type outer: HKDF-SHA256 with AES-128-GCM, configuration 42.
inline Buffer ech_outer(const Buffer& encapsulated_key, const Buffer& payload) {
  Buffer out;
  append_u8(out, 0);
  append_u16(out, 1);
  append_u16(out, 1);
  append_u8(out, 42);
  for (const Buffer& part : {encapsulated_key, payload}) {
    append_u16(out, part.size());
    append(out, part);
  }
  return out;
}

inline Buffer alpn_of(const std::vector<std::string>& protocols) {
  Buffer list, out;
  for (const std::string& protocol : protocols) {
    append_u8(list, protocol.size());
    append(list, as_bytes(protocol));
  }
  append_u16(out, list.size());
  append(out, list);
  return out;
}

}  // namespace waylay::tls::testing
