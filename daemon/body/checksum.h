// Checksums and digests that header fields carry of a body.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace waylay::body {

enum class Algorithm : uint8_t { Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256, Sha512 };

// By the name that x-amz-checksum-*, Digest (RFC 3230), Content-Digest (RFC 9530) and x-goog-hash use, in any case.
std::optional<Algorithm> algorithm_named(std::string_view name);

// The bytes of the digest; of a checksum its big-endian number.
std::string digest(Algorithm algorithm, std::string_view bytes);
uint32_t crc32(std::string_view bytes);

}  // namespace waylay::body
