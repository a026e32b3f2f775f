#include "flow/h1_writer.h"

#include <charconv>

namespace waylay::flow {
namespace {

using Type = Framing::Type;

}  // namespace

void H1Writer::head(http::Head& head, Framing framing) {
  framing_ = framing.type;
  if (framing_ == Type::None || framing_ == Type::Length) head.remove("transfer-encoding");
  if (framing_ == Type::None || framing_ == Type::Unknown) head.remove("content-length");
  if (framing_ == Type::Length) head.set("Content-Length", std::to_string(framing.length));
  if (framing_ == Type::Unknown && !head.has("transfer-encoding")) head.add("Transfer-Encoding", "chunked");
  write(as_bytes(head.raw()));
}

void H1Writer::body(const BodyPart& part) {
  if (framing_ == Type::AsItCame) return write(part.wire);
  if (framing_ != Type::Unknown) return write(part.content);
  if (part.content.empty()) return;  // which would be the last chunk
  char size[20];
  char* end = std::to_chars(size, size + 16, part.content.size(), 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  write(as_bytes(size, static_cast<size_t>(end - size)));
  write(part.content);
  write(as_bytes("\r\n"));
}

void H1Writer::end(const BodyEnd& end) {
  if (framing_ == Type::AsItCame) {
    if (!end.wire.empty()) write(end.wire);
    return;
  }
  if (framing_ != Type::Unknown) return;
  std::string last = "0\r\n";
  if (end.trailers) {
    for (const auto& [name, value] : *end.trailers) last.append(name).append(": ").append(value).append("\r\n");
  }
  write(as_bytes(last.append("\r\n")));
}

void H1Writer::break_framing() {
  if (framing_ == Type::Unknown) write(as_bytes("no chunk\r\n"));
}

}  // namespace waylay::flow
