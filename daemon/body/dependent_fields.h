// Header and trailer fields that say something of the body's bytes as they are sent, and must say something else, or
// nothing, of an edited body. Content-Length is not among them: whoever sends the message knows its framing.
//
//   recomputed  Content-MD5 (RFC 1864), Digest (RFC 3230), Content-Digest and Repr-Digest (RFC 9530), x-goog-hash,
//               x-amz-checksum-*, x-amz-crc32 (DynamoDB), x-amz-content-sha256 of a request; by the algorithms that we
//               know, the others are dropped
//   ETag        recomputed where it was the body's MD5 (S3), else dropped: it names another representation
//   dropped     checksums of parts ("...-3") with x-amz-checksum-type, Accept-Ranges (a range would be one of the body
//               before the edit), x-amz-trailer-signature
#pragma once

#include <optional>
#include <string_view>

#include "http/message.h"

namespace waylay::body {

struct Change {
  std::optional<std::string_view> before;  // nothing: it was not looked at
  std::string_view after;
};

void refresh(http::Head& head, const Change& change);
void refresh(http::Trailers& trailers, const Change& change);

}  // namespace waylay::body
