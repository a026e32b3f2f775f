// What every fallible function returns. An Error says what kind of failure, whose side it is on, and in what context,
// so that a person who reads it knows what to do next.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace waylay {

enum class Side { Local, Client, Upstream };
std::string_view to_string(Side side);

enum class ErrorKind {
  System,       // the kernel refused: errno is in code
  Invalid,      // input (a rule, a request, an option) is wrong
  Ambiguous,    // a message that two readers could understand differently (request smuggling)
  Protocol,     // a peer broke TLS or HTTP
  Certificate,  // a certificate was refused, by us or by a peer
  Truncated,    // a stream ended before its message did
  Limit,        // a named limit was exceeded
  NotFound,
  Conflict,  // already attached, already running
  Permission,
  Unavailable,  // the other process, a server or a resource is not there (now)
  Timeout,
};
std::string_view to_string(ErrorKind kind);

struct Error {
  ErrorKind kind = ErrorKind::Invalid;
  Side side = Side::Local;
  std::string message;  // "listening on 127.0.0.1:8443: Address already in use"
  int code = 0;         // errno for System, else 0

  static Error local(ErrorKind kind, std::string message) { return {kind, Side::Local, std::move(message), 0}; }
  static Error client(ErrorKind kind, std::string message) { return {kind, Side::Client, std::move(message), 0}; }
  static Error upstream(ErrorKind kind, std::string message) { return {kind, Side::Upstream, std::move(message), 0}; }

  // The same error with an outer context in front: "attaching docker:web: " + message.
  Error with(std::string_view context) &&;
};

// Translates errno once, at the wrapper. `what` is the action: "listening on 127.0.0.1:8443".
Error posix_error(int errno_value, std::string_view what, Side side = Side::Local);

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Error error) {
  return std::unexpected<Error>(std::move(error));
}

// Early return with context: if (!fd) return fail(fd, "opening the listener");
template <class T>
std::unexpected<Error> fail(Result<T>& failed, std::string_view context = {}) {
  Error error = std::move(failed).error();
  return std::unexpected<Error>(context.empty() ? std::move(error) : std::move(error).with(context));
}

}  // namespace waylay
