#include "http/websocket_extensions.h"

#include <charconv>

#include "base/bytes.h"

namespace waylay::http {
namespace {

constexpr std::string_view kField = "sec-websocket-extensions";

// What is before the separator; `rest` is what is behind it. Values in quotes hold no separators here: they are
// numbers.
std::string_view take(std::string_view& rest, char separator) {
  size_t end = std::min(rest.find(separator), rest.size());
  std::string_view part = trim(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

// RFC 7692 section 7.1.2: 8 to 15, without leading zeros; an answer always has a value.
bool is_window_bits(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
  int bits = 0;
  auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), bits);
  bool is_number = code == std::errc() && end == value.data() + value.size() && !value.starts_with('0');
  return is_number && bits >= 8 && bits <= 15;
}

bool read_parameter(std::string_view parameter, WebSocketExtensions& into) {
  std::string name = to_lower(take(parameter, '='));
  bool of_client = name.starts_with("client_");
  MessageDeflate& side = of_client ? *into.from_client : *into.from_server;
  if (name == "client_no_context_takeover" || name == "server_no_context_takeover") {
    side.takes_over_context = false;
    return parameter.empty();
  }
  bool is_window = name == "client_max_window_bits" || name == "server_max_window_bits";
  return is_window && is_window_bits(trim(parameter));
}

Result<void> read_extension(std::string_view extension, WebSocketExtensions& into) {
  std::string_view name = take(extension, ';');
  auto refuse = [](std::string why) { return fail(Error::upstream(ErrorKind::Protocol, std::move(why))); };
  if (!equals_ignoring_case(name, "permessage-deflate"))
    return refuse("the extension \"" + std::string(name) + "\" is not known");
  if (into.from_client) return refuse("permessage-deflate is there twice");
  into.from_client.emplace();
  into.from_server.emplace();
  while (!extension.empty()) {
    std::string parameter(take(extension, ';'));
    if (!read_parameter(parameter, into)) return refuse("permessage-deflate has the parameter \"" + parameter + "\"");
  }
  return {};
}

}  // namespace

Result<WebSocketExtensions> websocket_extensions(const Head& answer) {
  WebSocketExtensions agreed;
  for (size_t i = 0; i < answer.field_count(); ++i) {
    HeaderField field = answer.field(i);
    if (!equals_ignoring_case(field.name, kField)) continue;
    agreed.text.append(agreed.text.empty() ? "" : ", ").append(field.value);
    std::string_view list = field.value;
    while (!list.empty()) {
      std::string_view extension = take(list, ',');
      if (extension.empty()) continue;  // RFC 9110 section 5.6.1: empty elements of lists mean nothing
      if (Result<void> read = read_extension(extension, agreed); !read) return waylay::fail(read);
    }
  }
  return agreed;
}

}  // namespace waylay::http
