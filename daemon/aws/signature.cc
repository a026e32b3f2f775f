#include "aws/signature.h"

#include <algorithm>

#include "aws/uri.h"
#include "base/bytes.h"

namespace waylay::aws {
namespace {

std::optional<std::string> headers_of_authorization(std::string_view authorization) {
  constexpr std::string_view kHeaders = "SignedHeaders=";
  if (!authorization.starts_with("AWS4-")) return std::nullopt;
  size_t begin = authorization.find(kHeaders);
  if (begin == std::string_view::npos) return "";
  std::string_view headers = authorization.substr(begin + kHeaders.size());
  return to_lower(headers.substr(0, headers.find_first_of(", ")));
}

std::optional<std::string> headers_of_query(std::string_view target) {
  std::optional<std::string_view> headers = query_value(split_target(target).query, "X-Amz-SignedHeaders");
  return headers ? std::optional(to_lower(percent_decode(*headers))) : std::nullopt;
}

// A presigned URL does not know the body that will be sent with it.
bool is_unsigned_payload(const http::Head& request, bool presigned) {
  std::optional<std::string_view> digest = request.first("x-amz-content-sha256");
  return digest ? *digest == "UNSIGNED-PAYLOAD" : presigned;
}

}  // namespace

std::optional<Signature> Signature::of(const http::Head& request) {
  std::optional<std::string> headers = headers_of_authorization(request.first("authorization").value_or(""));
  bool presigned = !headers;
  if (presigned) headers = headers_of_query(request.target());
  if (!headers) return std::nullopt;
  Signature signature;
  signature.headers_ = std::move(*headers);
  signature.covers_body_ = !is_unsigned_payload(request, presigned);
  return signature;
}

bool Signature::covers_header(std::string_view name) const {
  constexpr std::string_view kAlways = "x-amz-";
  std::string wanted = to_lower(name);
  if (wanted.starts_with(kAlways) || wanted == "authorization") return true;
  for (std::string_view rest = headers_; !rest.empty();) {
    size_t semicolon = rest.find(';');
    if (rest.substr(0, semicolon) == wanted) return true;
    rest.remove_prefix(semicolon == std::string_view::npos ? rest.size() : semicolon + 1);
  }
  return false;
}

}  // namespace waylay::aws
