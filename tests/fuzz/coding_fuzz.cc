// Decoders and aws-chunked with bytes from anywhere: bounded output or an error; and what is encoded again decodes to
// the same. The first byte says which codings, two bits each.
#include <cstdint>

#include "base/check.h"
#include "body/aws_chunked.h"
#include "body/coding.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace waylay;
  using namespace waylay::body;
  constexpr size_t kMost = 64 * 1024;
  if (size == 0) return 0;
  std::string_view coded(reinterpret_cast<const char*>(data + 1), size - 1);
  std::vector<Coding> codings;
  for (int i = 0; i < data[0] % 3; ++i) codings.push_back(static_cast<Coding>(data[0] >> (2 + 2 * i) & 3));

  if (Result<std::string> content = decode(coded, codings, kMost)) {
    CHECK(content->size() <= kMost);
    CHECK(decode(encode(*content, codings), codings, 2 * kMost).value() == *content);
  }
  if (Result<std::string> content = unchunk(coded)) CHECK(content->size() < coded.size());
  return 0;
}
