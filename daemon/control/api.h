// What each resource answers: requests in, responses out, without sockets. One table of routes is the source; the
// OpenAPI description is held against it by a test.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "control/backend.h"
#include "control/feed.h"
#include "control/request.h"

namespace waylay::control {

// A body that is made while it is sent, so that a long list or an endless stream holds little memory.
class Source {
 public:
  enum class Step { More, Waiting, Done };
  virtual ~Source() = default;
  virtual Step next(std::string& out) = 0;  // appends one piece; Waiting: nothing now, ask again after Feed::deliver
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::unique_ptr<Source> source;  // instead of a body
};

struct Context {
  Backend& backend;
  Feed& feed;
  uint64_t holds = 0;  // begun so far
};

struct Route {
  std::string_view method, path;  // "/v1/flows/{id}"
  Response (*handle)(Context& context, const Request& request);
  std::string_view summary;
  bool changes = false;  // is worth a line in the log
};

std::span<const Route> routes();

// The route of a request; null with the response to give (404, 405) when there is none.
const Route* find_route(const Request& request, Response& otherwise);
Response handle(Context& context, const Request& request);
Response error_response(const Error& error);

}  // namespace waylay::control
