#include "control/answers.h"

#include <nlohmann/json.hpp>

namespace waylay::control {
namespace {

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Invalid:
    case ErrorKind::Ambiguous:
    case ErrorKind::Protocol:
    case ErrorKind::Truncated:
      return 400;
    case ErrorKind::Permission:
      return 403;
    case ErrorKind::NotFound:
      return 404;
    case ErrorKind::Conflict:
      return 409;
    case ErrorKind::Limit:
      return 413;
    case ErrorKind::Unavailable:
      return 503;
    case ErrorKind::Timeout:
      return 504;
    case ErrorKind::System:
    case ErrorKind::Certificate:
      return 500;
  }
  return 500;
}

}  // namespace

Response json_response(const Json& json, int status) {
  Response response;
  response.status = status;
  response.body = to_text(json) + "\n";
  return response;
}

Response raw_json(std::string_view name, std::string_view value) {
  Response response;
  response.body.append("{\"").append(name).append("\":").append(value).append("}\n");
  return response;
}

Response raw_json(std::string json) {
  Response response;
  response.body = std::move(json) + "\n";
  return response;
}

Response not_found(std::string message) {
  return error_response(Error::local(ErrorKind::NotFound, std::move(message)));
}

Response error_response(const Error& error) {
  return json_response(to_json(error), status_of(error.kind));
}

}  // namespace waylay::control
