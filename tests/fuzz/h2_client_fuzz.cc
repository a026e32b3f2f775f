// The end towards a server: the first byte is the size of the pieces, the rest what a server says to four requests.
#include "h2_ends.h"

using namespace waylay;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  http::FuzzedEnd end;
  http::H2Client client(end, http::kStreamWindow);
  end.session = &client;
  for (std::string_view method : {"GET", "HEAD", "POST", "CONNECT"}) {
    http::H2Head head;
    head.head = http::Head::http2_request(method, method == "CONNECT" ? "a:443" : "/");
    head.head.add("host", "a");
    head.scheme = "https";
    http::H2Stream& stream = client.request(head.head, head, method != "POST");
    if (method == "POST") client.write(stream, as_bytes("body"));
  }
  ByteQueue out;
  client.pull(out, 1 << 20);
  http::feed(client, as_bytes(data + 1, size - 1), size_t{data[0]} + 1);
  return 0;
}
