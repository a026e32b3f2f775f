// Content-Encoding (RFC 9110 section 8.4): gzip (RFC 1952), deflate (RFC 1950, and the bare RFC 1951 that some send),
// br (RFC 7932) and zstd (RFC 8878), several on top of each other.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "http/message.h"

namespace waylay::body {

// What rules work on, at most: a body is held as it came, decoded, and edited while they do.
constexpr size_t kMostDecoded = 16 * 1024 * 1024;
constexpr size_t kMostCodings = 4;  // nobody means more than two

enum class Coding : uint8_t { Gzip, Deflate, Brotli, Zstd };
std::string_view to_string(Coding coding);  // as it stands in Content-Encoding

// Those of a message, in the order in which they were applied, without aws-chunked (aws_chunked.h). NotFound: one that
// we cannot decode.
Result<std::vector<Coding>> codings_of(const http::Head& head);

// Kind Protocol: not what the codings say, or not all of it. Limit: one layer is larger than `most` when decoded.
Result<std::string> decode(std::string_view coded, std::span<const Coding> codings, size_t most = kMostDecoded);

// The same codings again. Its speed matters more than its size.
std::string encode(std::string_view content, std::span<const Coding> codings);

}  // namespace waylay::body
