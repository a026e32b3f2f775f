#include <brotli/decode.h>
#include <brotli/encode.h>

#include <new>

#include "base/bytes.h"
#include "base/check.h"
#include "base/handle.h"
#include "body/codec.h"

namespace waylay::body {
namespace {

using Decoder = Handle<BrotliDecoderState, BrotliDecoderDestroyInstance>;

}  // namespace

Result<std::string> decode_brotli(std::string_view coded, size_t most) {
  Decoder decoder(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr));
  if (!decoder) throw std::bad_alloc();
  Output output(most);
  const uint8_t* input = as_u8(as_bytes(coded));
  size_t left = coded.size();
  BrotliDecoderResult status = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
  while (status == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT && !output.too_large()) {
    auto* to = reinterpret_cast<uint8_t*>(output.room());
    size_t room = output.room_size(), before = room;
    status = BrotliDecoderDecompressStream(decoder.get(), &left, &input, &room, &to, nullptr);
    output.wrote(before - room);
  }
  if (output.too_large()) return fail(larger_than(most));
  if (status == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) return fail(not_coded("br", "it ends too early"));
  if (status != BROTLI_DECODER_RESULT_SUCCESS) return fail(not_coded("br", "its bytes are wrong"));
  if (left > 0) return fail(not_coded("br", "it goes on behind its end"));
  return std::move(output).take();
}

std::string encode_brotli(std::string_view content) {
  constexpr int kQuality = 5;  // servers' usual one for what is made at once: a tenth of the time of the best
  std::string coded(BrotliEncoderMaxCompressedSize(content.size()), '\0');
  size_t size = coded.size();
  bool done = BrotliEncoderCompress(kQuality, BROTLI_DEFAULT_WINDOW, BROTLI_DEFAULT_MODE, content.size(),
                                    as_u8(as_bytes(content)), &size, reinterpret_cast<uint8_t*>(coded.data()));
  CHECK(done);  // the bound holds
  coded.resize(size);
  return coded;
}

}  // namespace waylay::body
