// An HTTP/1 stream read whole and in pieces must give the same messages, and its raw parts, joined, the bytes that
// came.
//
// The input's first byte chooses the direction, the second seeds the split; the rest is the stream. A response stream's
// requests are named by the seed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "base/check.h"
#include "http/h1.h"
#include "tests/support/llhttp_reader.h"

namespace waylay::http {
namespace {

constexpr std::string_view kMethods[] = {"GET", "HEAD", "PUT", "CONNECT"};

// What must not depend on the split.
struct Story {
  std::string content;  // heads, payloads, trailers and message ends, in order
  std::string raw;
  bool failed = false;
};

// A reader and what it has told so far.
class Listener {
 public:
  Listener(Kind kind, unsigned seed) : reader_(kind, Side::Client), kind_(kind), questions_(seed) { ask(); }

  void hear(Bytes bytes) {
    if (story_.failed) return;
    reader_.put(bytes);
    while (note(reader_.next())) {
    }
  }

  Story finish() {
    if (!story_.failed) note(reader_.on_eof());
    return std::move(story_);
  }

 private:
  void ask() {
    if (kind_ == Kind::Response) reader_.answer_to(kMethods[questions_++ % std::size(kMethods)]);
  }

  bool note(H1Reader::Event event) {
    using Event = H1Reader::Event;
    story_.raw += as_text(reader_.raw());
    switch (event) {
      case Event::NeedMore:
        return false;
      case Event::Head:
        return note_head();
      case Event::Body:
        story_.content += as_text(reader_.payload());
        return true;
      case Event::End:
        for (const auto& [name, value] : reader_.trailers()) story_.content += name + "=" + value + ";";
        story_.content += "<end>";
        if (final_) ask();
        return true;
      case Event::Tunnel:
        story_.content += as_text(reader_.unread());
        story_.raw += as_text(reader_.unread());
        return false;
      case Event::Failed:
        CHECK(!reader_.error().message.empty());
        story_.failed = true;
        return false;
    }
    return false;
  }

  bool note_head() {
    Head head = std::move(reader_.head());
    story_.content += "<head>" + head.raw();
    story_.raw += head.raw();
    final_ = head.status() / 100 != 1;
    CHECK(LlhttpReader(head).reads_like(head));
    // An accepted head is one that anybody can read again, also after an edit.
    Result<Head> again = Head::parse(kind_, head.raw(), Side::Client);
    CHECK(again && again->field_count() == head.field_count());
    head.set("x-fuzz", "1");
    if (head.field_count() > 1) head.remove(std::string(head.field(0).name));
    CHECK(Head::parse(kind_, head.raw(), Side::Client));
    return true;
  }

  H1Reader reader_;
  Kind kind_;
  unsigned questions_;
  bool final_ = true;
  Story story_;
};

Story read(Kind kind, unsigned seed, Bytes stream, std::minstd_rand* random) {
  Listener listener(kind, seed);
  std::vector<std::byte> piece;  // a copy of exactly this size, so that a look past its end is seen
  while (!stream.empty()) {
    size_t size = stream.size();
    if (random) size = std::min<size_t>(size, 1 + (*random)() % ((*random)() % 4 == 0 ? 64 : 3));
    piece.assign(stream.begin(), stream.begin() + static_cast<ptrdiff_t>(size));
    piece.shrink_to_fit();
    listener.hear(piece);
    stream = stream.subspan(size);
  }
  return listener.finish();
}

}  // namespace
}  // namespace waylay::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace waylay;
  using namespace waylay::http;
  if (size < 2) return 0;
  Kind kind = data[0] % 2 == 0 ? Kind::Request : Kind::Response;
  unsigned seed = data[1];
  Bytes stream = as_bytes(data + 2, size - 2);
  std::minstd_rand random(seed + 1);

  Story whole = read(kind, seed, stream, nullptr);
  Story pieces = read(kind, seed, stream, &random);
  CHECK(whole.failed == pieces.failed);
  CHECK(whole.content == pieces.content);
  CHECK(as_text(stream).starts_with(whole.raw));
  CHECK(as_text(stream).starts_with(pieces.raw));
  // Without a failure nothing is missing.
  CHECK(whole.failed || whole.raw.size() == stream.size());
  CHECK(pieces.failed || pieces.raw.size() == stream.size());
  return 0;
}
