#include "tls/ja4.h"

#include <openssl/evp.h>

#include <algorithm>

#include "base/check.h"

namespace waylay::tls {
namespace {

constexpr uint16_t kServerName = 0;
constexpr uint16_t kAlpn = 16;
constexpr size_t kHashCharacters = 12;

// RFC 8701: 0x0a0a, 0x1a1a, ..., 0xfafa. They are random on purpose and say nothing about the client.
bool is_grease(uint16_t value) {
  return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

std::vector<uint16_t> without_grease(const std::vector<uint16_t>& values) {
  std::vector<uint16_t> kept;
  std::ranges::copy_if(values, std::back_inserter(kept), [](uint16_t value) { return !is_grease(value); });
  return kept;
}

std::string_view version_text(const ClientHello& hello) {
  std::vector<uint16_t> offered = without_grease(hello.versions);
  uint16_t highest = offered.empty() ? hello.legacy_version : *std::ranges::max_element(offered);
  switch (highest) {
    case 0x0304:
      return "13";
    case 0x0303:
      return "12";
    case 0x0302:
      return "11";
    case 0x0301:
      return "10";
    case 0x0300:
      return "s3";
    default:
      return "00";
  }
}

std::string two_digits(size_t count) {
  std::string digits = std::to_string(std::min<size_t>(count, 99));
  return digits.size() == 1 ? "0" + digits : digits;
}

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// First and last character of the first protocol, or of its hexadecimal form where they are not letters or digits.
std::string alpn_text(const ClientHello& hello) {
  if (hello.alpn.empty()) return "00";
  const std::string& protocol = hello.alpn.front();
  if (is_alphanumeric(protocol.front()) && is_alphanumeric(protocol.back())) return {protocol.front(), protocol.back()};
  std::string hex = to_hex(as_bytes(protocol));
  return {hex.front(), hex.back()};
}

// Four digits each, with commas between.
std::string joined(const std::vector<uint16_t>& values) {
  std::vector<std::byte> bytes;
  bytes.reserve(2 * values.size());
  for (uint16_t value : values) {
    bytes.push_back(std::byte(value >> 8));
    bytes.push_back(std::byte(value & 0xff));
  }
  std::string hex = to_hex(bytes), text;
  text.reserve(5 * values.size());
  for (size_t at = 0; at < hex.size(); at += 4) {
    if (at > 0) text += ',';
    text.append(hex, at, 4);
  }
  return text;
}

std::string short_hash(const std::string& text) {
  if (text.empty()) return std::string(kHashCharacters, '0');
  std::byte digest[EVP_MAX_MD_SIZE];
  int done =
      EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest), nullptr, EVP_sha256(), nullptr);
  CHECK(done == 1);
  return to_hex(Bytes(digest, kHashCharacters / 2));
}

}  // namespace

std::string ja4_fingerprint(const ClientHello& hello) {
  std::vector<uint16_t> ciphers = without_grease(hello.ciphers);
  std::vector<uint16_t> extensions = without_grease(hello.extensions);
  bool has_name = std::ranges::find(extensions, kServerName) != extensions.end();

  std::string text = "t";
  text.append(version_text(hello)).append(has_name ? "d" : "i");
  text.append(two_digits(ciphers.size())).append(two_digits(extensions.size())).append(alpn_text(hello));

  std::ranges::sort(ciphers);
  std::ranges::sort(extensions);
  std::erase_if(extensions, [](uint16_t type) { return type == kServerName || type == kAlpn; });
  std::string hashed = joined(extensions);
  std::vector<uint16_t> algorithms = without_grease(hello.signature_algorithms);
  if (!algorithms.empty() && !hashed.empty()) hashed += "_" + joined(algorithms);
  return text + "_" + short_hash(joined(ciphers)) + "_" + short_hash(hashed);
}

}  // namespace waylay::tls
