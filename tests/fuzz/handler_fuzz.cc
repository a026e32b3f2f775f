// What a handler answers is foreign bytes: the first byte says in which pieces they come.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "hook/call.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace waylay;
  if (size == 0) return 0;
  size_t piece = data[0] % 64 + size_t{1};
  Bytes rest = as_bytes(data + 1, size - 1);
  rules::Handler handler;
  handler.path = "/";
  hook::Call call(handler, "{}");
  while (!rest.empty()) {
    Bytes now = rest.first(std::min(piece, rest.size()));
    call.put(now);
    rest = rest.subspan(now.size());
  }
  call.on_end();
  CHECK(call.done());
  Result<hook::Answer> answer = call.take_answer();
  if (!answer || !*answer) return 0;
  CHECK((*answer)->status >= 200 && (*answer)->status <= 599);
  for (const auto& [name, value] : (*answer)->fields)
    CHECK(http::valid_field_name(name) && http::valid_field_value(value));
  return 0;
}
