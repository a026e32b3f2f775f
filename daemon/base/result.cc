#include "base/result.h"

#include <cstring>

namespace waylay {

std::string_view to_string(Side side) {
  switch (side) {
    case Side::Local:
      return "local";
    case Side::Client:
      return "client";
    case Side::Upstream:
      return "upstream";
  }
  return "unknown";
}

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::System:
      return "system";
    case ErrorKind::Invalid:
      return "invalid";
    case ErrorKind::Ambiguous:
      return "ambiguous";
    case ErrorKind::Protocol:
      return "protocol";
    case ErrorKind::Certificate:
      return "certificate";
    case ErrorKind::Truncated:
      return "truncated";
    case ErrorKind::Limit:
      return "limit";
    case ErrorKind::NotFound:
      return "not_found";
    case ErrorKind::Conflict:
      return "conflict";
    case ErrorKind::Permission:
      return "permission";
    case ErrorKind::Unavailable:
      return "unavailable";
    case ErrorKind::Timeout:
      return "timeout";
  }
  return "unknown";
}

Error Error::with(std::string_view context) && {
  message.insert(0, ": ").insert(0, context);
  return std::move(*this);
}

Error posix_error(int errno_value, std::string_view what, Side side) {
  std::string message(what);
  message.append(": ").append(strerrordesc_np(errno_value) ? strerrordesc_np(errno_value) : "unknown error");
  ErrorKind kind = ErrorKind::System;
  if (errno_value == EPERM || errno_value == EACCES) kind = ErrorKind::Permission;
  if (errno_value == ENOENT) kind = ErrorKind::NotFound;
  return {kind, side, std::move(message), errno_value};
}

}  // namespace waylay
