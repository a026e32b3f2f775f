// Any bytes in place of a ClientHello, whole and cut: never beyond the end, and a prefix never says what the whole
// denies.
#include <vector>

#include "base/check.h"
#include "tls/client_hello.h"

using namespace waylay;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes all = as_bytes(data, size);
  Result<std::optional<tls::ClientHello>> whole = tls::parse_client_hello(all);
  if (whole && *whole) {
    const tls::ClientHello& hello = **whole;
    CHECK(hello.server_name.empty() || *tls::normalize_host_name(hello.server_name) == hello.server_name);
    CHECK(hello.ja4.size() == 36);
  }
  // A prefix in memory of its own, so that the sanitizer sees a read beyond it.
  Bytes half = all.first(size / 2);
  std::vector<std::byte> prefix(half.begin(), half.end());
  Result<std::optional<tls::ClientHello>> partial = tls::parse_client_hello(prefix);
  CHECK(partial || !whole);  // what was refused stays refused
  CHECK(!partial || !*partial || (whole && *whole && (**whole).ja4 == (**partial).ja4));  // what was read stays read
  return 0;
}
