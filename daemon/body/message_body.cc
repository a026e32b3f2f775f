#include "body/message_body.h"

#include <array>

#include "base/bytes.h"
#include "body/aws_chunked.h"
#include "body/dependent_fields.h"

namespace waylay::body {
namespace {

constexpr int kPartialContent = 206;

struct Stream {
  std::string_view content_type, why;
};
constexpr auto kStreams =
    std::to_array<Stream>({{"text/event-stream", "a stream of events has no end"},
                           {"application/vnd.amazon.eventstream", "a stream of events has no end"},
                           {"multipart/x-mixed-replace", "its parts have no end"},
                           {"application/grpc", "gRPC's messages are a stream"}});

// Not known ones: the body is as it would be if it had been sent so.
std::vector<Coding> codings_or_none(http::Head& head) {
  Result<std::vector<Coding>> codings = codings_of(head);
  if (codings) return *std::move(codings);
  head.remove("content-encoding");
  return {};
}

}  // namespace

std::string_view why_not_collected(const http::Head& head) {
  std::string type = to_lower(head.first("content-type").value_or(""));
  for (const Stream& stream : kStreams)
    if (type.starts_with(stream.content_type)) return stream.why;
  return "";
}

std::string_view why_not_edited(const http::Head& head) {
  bool response = head.kind() == http::Kind::Response;
  if (response && head.status() == kPartialContent) return "a part of a whole that nobody sees (206)";
  if (is_aws_chunked(head)) return "it is aws-chunked: signed or summed up chunk by chunk";
  return "";
}

Result<Content> read_content(const http::Head& head, std::string_view sent) {
  Result<std::vector<Coding>> codings = codings_of(head);
  if (!codings) return fail(codings);
  std::string unchunked;
  if (is_aws_chunked(head)) {
    Result<std::string> carried = unchunk(sent);
    if (!carried) return fail(carried);
    unchunked = *std::move(carried);
    sent = unchunked;
  }
  Result<std::string> content = decode(sent, *codings);
  if (!content) return fail(content);
  return Content(*std::move(content));
}

std::string put_content(http::Head& head, http::Trailers& trailers, std::string_view content,
                        std::optional<std::string_view> sent) {
  std::string coded = encode(content, codings_or_none(head));
  refresh(head, {sent, coded});
  refresh(trailers, {sent, coded});
  return coded;
}

}  // namespace waylay::body
