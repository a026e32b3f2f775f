#include "body/aws_chunked.h"

#include <charconv>

#include "base/bytes.h"
#include "body/codec.h"

namespace waylay::body {
namespace {

std::unexpected<Error> wrong(std::string_view why) {
  return fail(not_coded("aws-chunked", why));
}

}  // namespace

bool is_aws_chunked(const http::Head& request) {
  std::optional<std::string_view> hash = request.first("x-amz-content-sha256");
  return request.kind() == http::Kind::Request && hash && hash->starts_with("STREAMING-");
}

Result<std::string> unchunk(std::string_view framed) {
  std::string content;
  for (;;) {
    size_t line_end = framed.find("\r\n");
    if (line_end == std::string_view::npos) return wrong("it ends too early");
    std::string_view line = framed.substr(0, line_end);
    std::string_view digits = line.substr(0, line.find(';'));
    size_t size = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
    if (error != std::errc() || end != digits.data() + digits.size()) return wrong("its bytes are wrong");
    framed.remove_prefix(line_end + 2);
    if (size == 0) return content;  // trailers follow
    if (framed.size() < 2 || framed.size() - 2 < size) return wrong("it ends too early");
    if (framed.substr(size, 2) != "\r\n") return wrong("its bytes are wrong");
    content.append(framed.substr(0, size));
    framed.remove_prefix(size + 2);
  }
}

}  // namespace waylay::body
