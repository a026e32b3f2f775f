#include "body/dependent_fields.h"

#include <algorithm>
#include <array>
#include <ranges>

#include "base/base64.h"
#include "base/bytes.h"
#include "body/checksum.h"

namespace waylay::body {
namespace {

constexpr std::string_view kAmazonChecksum = "x-amz-checksum-";

std::string checksum(Algorithm algorithm, const Change& change) {
  return encode_base64(digest(algorithm, change.after));
}

std::string md5_etag(std::string_view bytes) {
  return "\"" + to_hex(as_bytes(digest(Algorithm::Md5, bytes))) + "\"";
}

std::optional<std::string> etag(std::string_view value, const Change& change) {
  bool is_md5 = change.before && value == md5_etag(*change.before);
  return is_md5 ? std::optional(md5_etag(change.after)) : std::nullopt;
}

// "sha-256=...,md5=..." or, in the structured fields of RFC 9530, "sha-256=:...:".
std::optional<std::string> digest_list(std::string_view value, const Change& change, std::string_view quote) {
  std::string list;
  for (auto part : std::views::split(value, ',')) {
    std::string_view member = trim(std::string_view(part.begin(), part.end()));
    std::string_view name = member.substr(0, member.find('='));
    std::optional<Algorithm> algorithm = algorithm_named(name);
    if (!algorithm) continue;
    list.append(list.empty() ? "" : ", ").append(name).append("=");
    list.append(quote).append(checksum(*algorithm, change)).append(quote);
  }
  return list.empty() ? std::nullopt : std::optional(list);
}
std::optional<std::string> plain_digests(std::string_view value, const Change& change) {
  return digest_list(value, change, "");
}
std::optional<std::string> structured_digests(std::string_view value, const Change& change) {
  return digest_list(value, change, ":");
}

// A checksum of the checksums of an object's parts ends in their number: "...==-3". Base64 has no dash.
std::optional<std::string> amazon_checksum(std::string_view name, std::string_view value, const Change& change) {
  std::optional<Algorithm> algorithm = algorithm_named(name.substr(kAmazonChecksum.size()));
  if (!algorithm || value.find('-') != std::string_view::npos) return std::nullopt;
  return checksum(*algorithm, change);
}

// The whole object's checksum stays one.
std::optional<std::string> checksum_type(std::string_view value, const Change&) {
  return equals_ignoring_case(value, "FULL_OBJECT") ? std::optional(std::string(value)) : std::nullopt;
}

std::optional<std::string> crc32_number(std::string_view, const Change& change) {
  return std::to_string(crc32(change.after));
}

std::optional<std::string> content_md5(std::string_view, const Change& change) {
  return checksum(Algorithm::Md5, change);
}

// UNSIGNED-PAYLOAD and the like say nothing of the bytes.
std::optional<std::string> payload_hash(std::string_view value, const Change& change) {
  constexpr size_t kHexSha256 = 64;
  if (value.size() != kHexSha256) return std::string(value);
  return to_hex(as_bytes(digest(Algorithm::Sha256, change.after)));
}

std::optional<std::string> dropped(std::string_view, const Change&) {
  return std::nullopt;
}

struct Dependent {
  std::string_view name;
  std::optional<std::string> (*after)(std::string_view value, const Change& change);  // nothing: it goes
};
constexpr auto kDependents = std::to_array<Dependent>({{"content-md5", content_md5},
                                                       {"digest", plain_digests},
                                                       {"content-digest", structured_digests},
                                                       {"repr-digest", structured_digests},
                                                       {"x-goog-hash", plain_digests},
                                                       {"etag", etag},
                                                       {"accept-ranges", dropped},
                                                       {"x-amz-checksum-type", checksum_type},
                                                       {"x-amz-crc32", crc32_number},
                                                       {"x-amz-content-sha256", payload_hash},
                                                       {"x-amz-trailer-signature", dropped}});

// What a field becomes; `value` unchanged where it says nothing of the body.
std::optional<std::string> after(std::string_view name, std::string_view value, const Change& change) {
  for (const Dependent& one : kDependents)
    if (equals_ignoring_case(one.name, name)) return one.after(value, change);
  bool amazon = name.size() > kAmazonChecksum.size() &&
                equals_ignoring_case(name.substr(0, kAmazonChecksum.size()), kAmazonChecksum);
  return amazon ? amazon_checksum(name, value, change) : std::string(value);
}

// The list that several fields of one name make up (RFC 9110 section 5.3).
std::string joined(const http::Head& head, std::string_view name) {
  std::string all;
  for (size_t i = 0; i < head.field_count(); ++i)
    if (equals_ignoring_case(head.field(i).name, name)) all.append(all.empty() ? "" : ", ").append(head.field(i).value);
  return all;
}

}  // namespace

void refresh(http::Head& head, const Change& change) {
  std::vector<std::string> names;
  for (size_t i = 0; i < head.field_count(); ++i) {
    http::HeaderField field = head.field(i);
    if (after(field.name, field.value, change) != field.value) names.push_back(to_lower(field.name));
  }
  for (const std::string& name : names) {
    std::optional<std::string> value = after(name, joined(head, name), change);
    if (value)
      head.set(name, *value);
    else
      head.remove(name);
  }
}

void refresh(http::Trailers& trailers, const Change& change) {
  http::Trailers kept;
  for (auto& [name, value] : trailers)
    if (std::optional<std::string> now = after(name, value, change)) kept.emplace_back(name, *std::move(now));
  trailers = std::move(kept);
}

}  // namespace waylay::body
