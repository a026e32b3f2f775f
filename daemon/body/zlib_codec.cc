// gzip and deflate.
#include <zlib.h>

#include <new>

#include "base/check.h"
#include "body/codec.h"

namespace waylay::body {
namespace {

// windowBits of zlib.h: what surrounds the deflated bytes.
constexpr int kWindow = 15;
constexpr int kGzip = kWindow + 16;
constexpr int kZlib = kWindow;
constexpr int kBare = -kWindow;

Bytef* input_of(std::string_view text) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // zlib reads it only
}

class Inflater {
 public:
  explicit Inflater(int window) {
    if (inflateInit2(&stream_, window) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  void put(std::string_view coded) {
    stream_.next_in = input_of(coded);
    stream_.avail_in = static_cast<uInt>(coded.size());
  }
  size_t unread() const { return stream_.avail_in; }
  void restart() { inflateReset(&stream_); }

  // Until the end of one stream of deflated bytes; Z_STREAM_END, or what is wrong.
  int run(Output& output) {
    int status = Z_OK;
    while (status == Z_OK && !output.too_large()) {
      stream_.next_out = reinterpret_cast<Bytef*>(output.room());
      auto room = static_cast<uInt>(output.room_size());
      stream_.avail_out = room;
      status = ::inflate(&stream_, Z_NO_FLUSH);
      output.wrote(room - stream_.avail_out);
    }
    return status;
  }

 private:
  z_stream stream_{};
};

Error problem(std::string_view coding, int status) {
  return not_coded(coding, status == Z_BUF_ERROR ? "it ends too early" : "its bytes are wrong");
}

Result<std::string> inflate_one(std::string_view coded, size_t most, int window, std::string_view coding) {
  Inflater inflater(window);
  Output output(most);
  inflater.put(coded);
  int status = inflater.run(output);
  if (output.too_large()) return fail(larger_than(most));
  if (status != Z_STREAM_END) return fail(problem(coding, status));
  if (inflater.unread() > 0) return fail(not_coded(coding, "it goes on behind its end"));
  return std::move(output).take();
}

std::string deflate_with(std::string_view content, int window) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  std::string coded(deflateBound(&stream, content.size()), '\0');
  stream.next_in = input_of(content);
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(coded.data());
  stream.avail_out = static_cast<uInt>(coded.size());
  int status = ::deflate(&stream, Z_FINISH);
  CHECK(status == Z_STREAM_END);  // the bound holds
  coded.resize(stream.total_out);
  deflateEnd(&stream);
  return coded;
}

}  // namespace

Result<std::string> gunzip(std::string_view coded, size_t most) {
  Inflater inflater(kGzip);
  Output output(most);
  inflater.put(coded);
  do {
    int status = inflater.run(output);
    if (output.too_large()) return fail(larger_than(most));
    if (status != Z_STREAM_END) return fail(problem("gzip", status));
    inflater.restart();
  } while (inflater.unread() > 0);
  return std::move(output).take();
}

// RFC 9110 section 8.4.1.2: "deflate" is zlib's format, but some send bare deflated bytes. Those never look like the
// former: the two bytes of its header have a check (RFC 1950 section 2.2), which a wrong guess passes once in a while,
// so the other way is tried as well.
Result<std::string> inflate(std::string_view coded, size_t most) {
  Result<std::string> content = inflate_one(coded, most, kZlib, "deflate");
  if (content || content.error().kind == ErrorKind::Limit) return content;
  Result<std::string> bare = inflate_one(coded, most, kBare, "deflate");
  return bare ? bare : content;
}

std::string gzip(std::string_view content) {
  return deflate_with(content, kGzip);
}

std::string deflate(std::string_view content) {
  return deflate_with(content, kZlib);
}

}  // namespace waylay::body
