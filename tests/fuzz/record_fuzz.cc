// The TLS 1.3 record layer against a peer that knows the keys, as a hostile server or client does, and against a
// network that does not: any content in good records, any bytes, and bits flipped in good records. Input: byte 0 says
// cipher suite and role, byte 1 the size of the pieces, byte 2 the room for plaintext; then commands.
#include <algorithm>
#include <vector>

#include "base/check.h"
#include "tls/record_layer.h"

using namespace waylay;
using namespace waylay::tls;

namespace {

constexpr std::string_view kSuites[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                        "TLS_CHACHA20_POLY1305_SHA256"};

struct Input {
  Bytes rest;
  size_t number() {
    if (rest.empty()) return 0;
    auto value = std::to_integer<size_t>(rest.front());
    rest = rest.subspan(1);
    return value;
  }
  Bytes take(size_t size) {
    Bytes taken = rest.first(std::min(size, rest.size()));
    rest = rest.subspan(taken.size());
    return taken;
  }
};

struct Fuzzed {
  Fuzzed(Input& input)
      : choice(input.number()),
        suite(*find_record_suite(kSuites[choice % 3])),
        secret(Bytes(std::vector<std::byte>(size_of(suite.hash), std::byte{7}))),
        layer(RecordLayer::make({suite, (choice & 4) != 0, secret, secret, 0, 0, 3})),
        peer(RecordProtection::make(suite, RecordProtection::Direction::Sealing, secret, 0)),
        piece(std::max<size_t>(input.number(), 1) * 16),
        scratch(std::max<size_t>(input.number(), 1) * 80) {}

  void seal(ContentType type, Bytes content) {
    size_t size = RecordProtection::sealed_size(content.size());
    CHECK(peer->seal(type, content, to_us.prepare(size).data()));
    to_us.commit(size);
  }

  void deliver() {
    while (!to_us.empty()) {
      Bytes bytes = to_us.bytes().first(std::min(piece, to_us.size()));
      std::vector<std::byte> copy(bytes.begin(), bytes.end());  // of its own size, for the sanitizer
      to_us.consume(copy.size());
      hear(copy);
    }
  }

  void hear(Bytes bytes) {
    for (size_t turn = 0;; ++turn) {
      CHECK(turn < 100'000);  // next() always comes to an end
      Bytes plaintext;
      RecordLayer::Event event = layer->next(bytes, scratch, plaintext, output);
      CHECK((event == RecordLayer::Event::Plaintext) == !plaintext.empty() && plaintext.size() <= scratch.size());
      CHECK(!failed || event == RecordLayer::Event::Failed);
      failed = event == RecordLayer::Event::Failed;
      if (event == RecordLayer::Event::NeedMore || failed) CHECK(bytes.empty());
      if (event == RecordLayer::Event::NeedMore || failed) return;
    }
  }

  size_t choice;
  const RecordSuite& suite;
  Secret secret;
  std::unique_ptr<RecordLayer> layer;
  std::optional<RecordProtection> peer;
  size_t piece;
  std::vector<std::byte> scratch;
  ByteQueue to_us, output;
  bool failed = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input{as_bytes(data, size)};
  Fuzzed fuzzed(input);
  while (!input.rest.empty()) {
    switch (input.number() % 8) {
      case 0:
        fuzzed.seal(static_cast<ContentType>(input.number()), input.take(input.number()));
        break;
      case 1:
        fuzzed.seal(ContentType::Handshake, input.take(input.number()));
        break;
      case 2:
        fuzzed.seal(ContentType::Alert, input.take(2));
        break;
      case 3:
        fuzzed.to_us.append(input.take(input.number()));
        break;
      case 4: {
        const std::byte update[] = {std::byte{24}, {}, {}, std::byte{1}, static_cast<std::byte>(input.number() % 2)};
        fuzzed.seal(ContentType::Handshake, update);
        CHECK(fuzzed.peer->update());
        break;
      }
      case 5:
        (void)fuzzed.layer->write(std::vector<std::byte>(input.number() * 200), fuzzed.output);
        break;
      case 6: {
        std::vector<std::byte> bytes(fuzzed.to_us.bytes().begin(), fuzzed.to_us.bytes().end());
        size_t at = input.number() << 8 | input.number();
        if (!bytes.empty()) bytes[at % bytes.size()] ^= static_cast<std::byte>(1 << input.number() % 8);
        fuzzed.to_us.clear();
        fuzzed.to_us.append(bytes);
        break;
      }
      default:
        fuzzed.deliver();
        if (input.number() % 32 == 0) fuzzed.layer->close(fuzzed.output);
    }
  }
  fuzzed.deliver();
  return 0;
}
