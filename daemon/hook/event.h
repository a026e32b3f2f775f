// What a handler is told: an Amazon API Gateway proxy event, payload format 1.0 ("Lambda proxy integrations for REST
// APIs", input format), with the container and the process in its requestContext. In the response phase it holds the
// upstream's answer too, as "response", in the form that a handler would return.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.h"

namespace waylay::hook {

// A whole message; the body is decoded content. Borrowed.
struct Message {
  const http::Head& head;
  std::string_view body;
};

struct Origin {  // of the request
  uint64_t exchange = 0;
  int64_t wall_ns = 0;
  std::string host, protocol;  // "HTTP/1.1"
  std::string source_ip;
  std::string container_id, container_name, container_image;  // empty: not of a container
  uint32_t pid = 0;                                           // 0: unknown
  std::string process, executable;
};

// JSON on one line. A body that is not UTF-8 is in Base64, and isBase64Encoded says so.
std::string make_event(const Origin& origin, const Message& request, const Message* response = nullptr);

}  // namespace waylay::hook
