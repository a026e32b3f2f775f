#include "body/coding.h"

#include <algorithm>
#include <array>
#include <optional>
#include <ranges>

#include "base/check.h"
#include "body/codec.h"

namespace waylay::body {
namespace {

struct Name {
  std::string_view name;
  Coding coding;
};
// RFC 9110 section 8.4.1.3: x-gzip is gzip.
constexpr auto kNames = std::to_array<Name>({{"gzip", Coding::Gzip},
                                             {"x-gzip", Coding::Gzip},
                                             {"deflate", Coding::Deflate},
                                             {"br", Coding::Brotli},
                                             {"zstd", Coding::Zstd}});

std::optional<Coding> coding_named(std::string_view name) {
  for (const Name& known : kNames)
    if (equals_ignoring_case(known.name, name)) return known.coding;
  return std::nullopt;
}

Result<void> add_codings(std::string_view list, std::vector<Coding>& codings) {
  for (auto part : std::views::split(list, ',')) {
    std::string_view name = trim(std::string_view(part.begin(), part.end()));
    if (name.empty() || equals_ignoring_case(name, "identity") || equals_ignoring_case(name, "aws-chunked")) continue;
    std::optional<Coding> coding = coding_named(name);
    if (!coding)
      return fail(Error::local(ErrorKind::NotFound, "Content-Encoding " + std::string(name) + " is not known"));
    codings.push_back(*coding);
  }
  return {};
}

Result<std::string> decode_one(std::string_view coded, Coding coding, size_t most) {
  switch (coding) {
    case Coding::Gzip:
      return gunzip(coded, most);
    case Coding::Deflate:
      return inflate(coded, most);
    case Coding::Brotli:
      return decode_brotli(coded, most);
    case Coding::Zstd:
      return decode_zstd(coded, most);
  }
  CHECK(!"a coding");
}

std::string encode_one(std::string_view content, Coding coding) {
  switch (coding) {
    case Coding::Gzip:
      return gzip(content);
    case Coding::Deflate:
      return deflate(content);
    case Coding::Brotli:
      return encode_brotli(content);
    case Coding::Zstd:
      return encode_zstd(content);
  }
  CHECK(!"a coding");
}

}  // namespace

std::string_view to_string(Coding coding) {
  switch (coding) {
    case Coding::Gzip:
      return "gzip";
    case Coding::Deflate:
      return "deflate";
    case Coding::Brotli:
      return "br";
    case Coding::Zstd:
      return "zstd";
  }
  CHECK(!"a coding");
}

Result<std::vector<Coding>> codings_of(const http::Head& head) {
  std::vector<Coding> codings;
  for (size_t i = 0; i < head.field_count(); ++i) {
    http::HeaderField field = head.field(i);
    if (!equals_ignoring_case(field.name, "content-encoding")) continue;
    if (Result<void> added = add_codings(field.value, codings); !added) return fail(added);
  }
  if (codings.size() > kMostCodings)
    return fail(Error::local(ErrorKind::Limit, "more than " + std::to_string(kMostCodings) + " content codings"));
  return codings;
}

Result<std::string> decode(std::string_view coded, std::span<const Coding> codings, size_t most) {
  if (codings.empty()) {
    if (coded.size() > most) return fail(larger_than(most));
    return std::string(coded);
  }
  Result<std::string> content = decode_one(coded, codings.back(), most);
  for (Coding coding : codings.first(codings.size() - 1) | std::views::reverse) {
    if (!content) return content;
    content = decode_one(*content, coding, most);
  }
  return content;
}

std::string encode(std::string_view content, std::span<const Coding> codings) {
  std::string coded(content);
  for (Coding coding : codings) coded = encode_one(coded, coding);
  return coded;
}

}  // namespace waylay::body
