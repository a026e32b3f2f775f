#include "body/checksum.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <array>

#include "base/bytes.h"
#include "base/check.h"

namespace waylay::body {
namespace {

// CRCs with reflected bits, all ones before and inverted after: the byte's part of the remainder, by Sarwate's table.
template <class Number>
constexpr std::array<Number, 256> crc_table(Number reflected_polynomial) {
  std::array<Number, 256> table{};
  for (size_t byte = 0; byte < table.size(); ++byte) {
    auto remainder = static_cast<Number>(byte);
    for (int bit = 0; bit < 8; ++bit)
      remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? reflected_polynomial : Number{0});
    table[byte] = remainder;
  }
  return table;
}

template <class Number>
Number crc(const std::array<Number, 256>& table, std::string_view bytes) {
  auto remainder = static_cast<Number>(~Number{0});
  for (char c : bytes) remainder = table[(remainder ^ static_cast<unsigned char>(c)) & 0xff] ^ (remainder >> 8);
  return static_cast<Number>(~remainder);
}

constexpr auto kCrc32c = crc_table<uint32_t>(0x82f63b78);             // Castagnoli: RFC 3720 section 12.1
constexpr auto kCrc64Nvme = crc_table<uint64_t>(0x9a6c9329ac4bc9b5);  // NVM Express NVM Command Set, section 5.2.1.3.4

template <class Number>
std::string big_endian(Number number) {
  std::string bytes;
  for (int shift = sizeof(Number) * 8 - 8; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift & 0xff);
  return bytes;
}

std::string hashed(const EVP_MD* kind, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
  unsigned size = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), hash.data(), &size, kind, nullptr) == 1);
  return {reinterpret_cast<const char*>(hash.data()), size};
}

struct Name {
  std::string_view name;
  Algorithm algorithm;
};
constexpr auto kNames = std::to_array<Name>({{"crc32", Algorithm::Crc32},
                                             {"crc32c", Algorithm::Crc32c},
                                             {"crc64nvme", Algorithm::Crc64Nvme},
                                             {"md5", Algorithm::Md5},
                                             {"sha", Algorithm::Sha1},
                                             {"sha1", Algorithm::Sha1},
                                             {"sha256", Algorithm::Sha256},
                                             {"sha-256", Algorithm::Sha256},
                                             {"sha-512", Algorithm::Sha512}});

}  // namespace

std::optional<Algorithm> algorithm_named(std::string_view name) {
  for (const Name& known : kNames)
    if (equals_ignoring_case(known.name, name)) return known.algorithm;
  return std::nullopt;
}

std::string digest(Algorithm algorithm, std::string_view bytes) {
  switch (algorithm) {
    case Algorithm::Crc32:
      return big_endian(crc32(bytes));
    case Algorithm::Crc32c:
      return big_endian(crc(kCrc32c, bytes));
    case Algorithm::Crc64Nvme:
      return big_endian(crc(kCrc64Nvme, bytes));
    case Algorithm::Md5:
      return hashed(EVP_md5(), bytes);
    case Algorithm::Sha1:
      return hashed(EVP_sha1(), bytes);
    case Algorithm::Sha256:
      return hashed(EVP_sha256(), bytes);
    case Algorithm::Sha512:
      return hashed(EVP_sha512(), bytes);
  }
  CHECK(!"an algorithm");
}

uint32_t crc32(std::string_view bytes) {
  return static_cast<uint32_t>(crc32_z(0, as_u8(as_bytes(bytes)), bytes.size()));
}

}  // namespace waylay::body
