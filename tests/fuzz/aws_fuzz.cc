// An AWS call out of an HTTP/1 request, and the answers that faults give to it.
#include "aws/body.h"
#include "aws/fault.h"
#include "base/check.h"
#include "http/h1.h"

namespace {

using namespace waylay;

void answer(const aws::Call& call, const http::Head& request) {
  for (const char* name : {"aws:throttle", "aws:access-denied", "aws:NoSuchKey"}) {
    Result<aws::Answer> answer = aws::make_fault(name, call, request, Time{}, 7);
    CHECK(answer && answer->status >= 400 && http::valid_field_value(answer->reason));
    for (const auto& [key, value] : answer->fields)
      CHECK(http::valid_field_name(key) && http::valid_field_value(value));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  http::H1Reader reader(http::Kind::Request, Side::Client);
  reader.put(as_bytes(std::string_view(reinterpret_cast<const char*>(data), size)));
  if (reader.next() != http::H1Reader::Event::Head) return 0;
  http::Head head = std::move(reader.head());
  aws::Call call = aws::classify(head, http::request_host(head));
  if (aws::is_told_by_body(head, call) && reader.next() == http::H1Reader::Event::Body)
    aws::read_body(as_text(reader.payload()), call);
  CHECK(call.known() || (call.operation.empty() && call.table.empty()));
  answer(call, head);
  return 0;
}
