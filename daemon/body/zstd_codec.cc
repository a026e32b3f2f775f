#include <zstd.h>

#include <new>

#include "base/check.h"
#include "base/handle.h"
#include "body/codec.h"

namespace waylay::body {
namespace {

using Decoder = Handle<ZSTD_DStream, ZSTD_freeDStream>;

}  // namespace

Result<std::string> decode_zstd(std::string_view coded, size_t most) {
  // RFC 9659: a content coding's window is at most 8 MiB; more would be memory that a peer makes us take.
  constexpr int kWindowLog = 23;
  Decoder decoder(ZSTD_createDStream());
  if (!decoder) throw std::bad_alloc();
  ZSTD_DCtx_setParameter(decoder.get(), ZSTD_d_windowLogMax, kWindowLog);
  Output output(most);
  ZSTD_inBuffer input{coded.data(), coded.size(), 0};
  size_t status = 1;  // 0 at the end of each frame
  bool progress = true;
  while (progress && !output.too_large() && (input.pos < input.size || status != 0)) {
    ZSTD_outBuffer to{output.room(), output.room_size(), 0};
    size_t before = input.pos;
    status = ZSTD_decompressStream(decoder.get(), &to, &input);
    if (ZSTD_isError(status) != 0) return fail(not_coded("zstd", ZSTD_getErrorName(status)));
    output.wrote(to.pos);
    progress = to.pos > 0 || input.pos > before;
  }
  if (output.too_large()) return fail(larger_than(most));
  if (status != 0) return fail(not_coded("zstd", "it ends too early"));
  return std::move(output).take();
}

std::string encode_zstd(std::string_view content) {
  std::string coded(ZSTD_compressBound(content.size()), '\0');
  size_t size = ZSTD_compress(coded.data(), coded.size(), content.data(), content.size(), ZSTD_CLEVEL_DEFAULT);
  CHECK(ZSTD_isError(size) == 0);  // the bound holds
  coded.resize(size);
  return coded;
}

}  // namespace waylay::body
