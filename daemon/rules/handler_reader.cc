#include "rules/handler_reader.h"

#include <sys/un.h>

#include "http/message.h"

namespace waylay::rules {
namespace {

constexpr std::string_view kHttp = "http://", kUnix = "unix:";
// Where the Lambda runtime emulator listens, whatever its function is called.
constexpr std::string_view kInvocations = "/2015-03-31/functions/function/invocations";

std::optional<Address> address_of(std::string_view authority) {
  std::string text(authority);
  if (text.starts_with("localhost")) text.replace(0, 9, "127.0.0.1");
  Result<Address> address = Address::parse(text);
  if (!address) address = Address::parse(text + ":80");
  return address ? std::optional(*address) : std::nullopt;
}

void read_http_url(Reader& reader, const Place& place, Handler& handler) {
  std::string_view rest = std::string_view(handler.url).substr(kHttp.size());
  size_t slash = rest.find('/');
  handler.host = rest.substr(0, slash);
  handler.path = slash == std::string_view::npos ? kInvocations : rest.substr(slash);
  handler.address = address_of(handler.host);
  if (!handler.address)
    reader.wrong(place,
                 "\"" + handler.host + "\" is not an address and a port, such as 127.0.0.1:9000 or localhost:9000");
  if (!http::valid_target(handler.path)) reader.wrong(place, "its path holds no blanks and no control characters");
}

void read_unix_url(Reader& reader, const Place& place, Handler& handler) {
  handler.socket_path = handler.url.substr(kUnix.size());
  handler.host = "localhost";
  handler.path = kInvocations;
  bool fits = handler.socket_path.size() < sizeof(sockaddr_un{}.sun_path);
  if (!handler.socket_path.starts_with('/') || !fits || handler.socket_path.find('\0') != std::string::npos)
    reader.wrong(place, "must be an absolute path of at most 107 bytes behind \"unix:\"");
}

void read_url(Reader& reader, const Json& value, const Place& place, Handler& handler) {
  std::optional<std::string> url = reader.text(value, "url", place);
  if (!url) return reader.wrong(place, "needs a \"url\"");
  handler.url = *url;
  if (url->starts_with(kHttp)) return read_http_url(reader, place / "url", handler);
  if (url->starts_with(kUnix)) return read_unix_url(reader, place / "url", handler);
  reader.wrong(place / "url", "must begin with http:// or unix:/");
}

uint32_t read_count(Reader& reader, const Json& value, std::string_view key, const Place& place, uint32_t usual,
                    uint32_t most) {
  std::optional<int64_t> count = reader.integer(value, key, place);
  if (!count) return usual;
  if (*count < 1 || *count > most) reader.wrong(place / key, "must be from 1 to " + std::to_string(most));
  return static_cast<uint32_t>(*count);
}

// Whether the second word is given; the first one if neither is.
bool read_choice(Reader& reader, const Json& value, std::string_view key, const Place& place, std::string_view first,
                 std::string_view second) {
  std::optional<std::string> word = reader.text(value, key, place);
  if (word && *word != first && *word != second)
    reader.wrong(place / key, "must be \"" + std::string(first) + "\" or \"" + std::string(second) + "\"");
  return word == second;
}

void read_breaker(Reader& reader, const Json& value, const Place& place, Handler& handler) {
  if (!reader.is_object(value, place, {"failures", "pause"})) return;
  handler.breaker_failures =
      read_count(reader, value, "failures", place, Handler::kUsualFailures, Handler::kMostFailures);
  handler.breaker_pause_ns =
      reader.duration(value, "pause", place, "a pause", Handler::kMostPause_ns).value_or(Handler::kUsualPause_ns);
}

}  // namespace

Handler read_handler(Reader& reader, const Json& value, const Place& place) {
  Handler handler;
  if (!reader.is_object(value, place, {"url", "phase", "timeout", "concurrency", "fail", "breaker"})) return handler;
  read_url(reader, value, place, handler);
  if (read_choice(reader, value, "phase", place, "request", "response")) handler.phase = Handler::Phase::Response;
  handler.fail_open = read_choice(reader, value, "fail", place, "closed", "open");
  handler.timeout_ns = reader.duration(value, "timeout", place, "a time-out", Handler::kMostTimeout_ns)
                           .value_or(Handler::kUsualTimeout_ns);
  handler.concurrency =
      read_count(reader, value, "concurrency", place, Handler::kUsualConcurrency, Handler::kMostConcurrency);
  if (const Json* breaker = Reader::member(value, "breaker"))
    read_breaker(reader, *breaker, place / "breaker", handler);
  handler.gate = std::make_shared<HandlerGate>(handler.concurrency, handler.breaker_failures, handler.breaker_pause_ns);
  return handler;
}

}  // namespace waylay::rules
