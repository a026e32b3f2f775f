// One direction of a WebSocket, whole and in pieces: the same messages come out, within the limits, and never more
// bytes than were put in. The first octet says which side it is, whether messages are deflated, and how.
#include <algorithm>
#include <string>

#include "base/check.h"
#include "http/grpc_reader.h"
#include "http/websocket.h"

namespace waylay::http {
namespace {

constexpr size_t kContent = 256;

struct Found {
  std::string text, failure, content_failure;
};

void check(const WebSocketMessage& message, size_t input) {
  CHECK(message.sent <= input);
  CHECK(message.content.size() <= kContent);
  CHECK(message.content.size() <= std::max<uint64_t>(message.size, 125));
  CHECK(message.size <= kMostInflated + 16 * 1024);
  CHECK(message.opcode != WebSocketOpcode::Continuation);
}

Found read(const WebSocketReader::Options& options, Bytes bytes, size_t piece) {
  WebSocketReader reader(options);
  Found found;
  size_t all = bytes.size();
  while (!bytes.empty()) {
    Bytes next = bytes.first(std::min(piece, bytes.size()));
    bytes = bytes.subspan(next.size());
    reader.put(next);
    while (std::optional<WebSocketMessage> message = reader.next()) {
      check(*message, all);
      found.text.append(to_string(message->opcode)).append(std::to_string(message->size)).append(message->content);
    }
  }
  found.failure = reader.failure();
  found.content_failure = reader.content_failure();
  return found;
}

void read_grpc(Bytes bytes, bool is_base64) {
  GrpcReader whole(is_base64), pieces(is_base64);
  whole.put(bytes);
  for (size_t i = 0; i < bytes.size(); ++i) pieces.put(bytes.subspan(i, 1));
  CHECK(whole.messages() == pieces.messages() && whole.payload() == pieces.payload());
  CHECK(whole.failure() == pieces.failure());
  CHECK(whole.messages() * 5 <= bytes.size());
}

}  // namespace
}  // namespace waylay::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace waylay;
  using namespace waylay::http;
  if (size == 0) return 0;
  Bytes bytes = as_bytes(data + 1, size - 1);
  if (data[0] >= 0xf0) {
    read_grpc(bytes, (data[0] & 1) != 0);
    return 0;
  }
  WebSocketReader::Options options{(data[0] & 1) != 0, std::nullopt, (data[0] & 8) != 0 ? 0 : kContent};
  if ((data[0] & 2) != 0) options.deflate = MessageDeflate{(data[0] & 4) == 0};
  Found whole = read(options, bytes, bytes.size());
  Found pieces = read(options, bytes, 1 + data[0] % 5);
  CHECK(whole.text == pieces.text && whole.failure == pieces.failure);
  CHECK(whole.content_failure == pieces.content_failure);
  return 0;
}
