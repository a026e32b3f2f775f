// The end towards a client: the first byte is the size of the pieces, the rest what a client says behind the preface.
#include "h2_ends.h"

using namespace waylay;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  http::FuzzedEnd end;
  http::H2Server server(end);
  end.session = end.server = &server;
  server.mirror({true, 100});
  http::feed(server, as_bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 24);
  http::feed(server, as_bytes(data + 1, size - 1), size_t{data[0]} + 1);
  return 0;
}
