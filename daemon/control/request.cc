#include "control/request.h"

#include <algorithm>
#include <charconv>

namespace waylay::control {
namespace {

std::unexpected<Error> invalid(std::string message) {
  return fail(Error::local(ErrorKind::Invalid, std::move(message)));
}

Result<std::string> decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_blank) {
      out += ' ';
      continue;
    }
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    std::string_view digits = text.substr(i + 1, 2);
    auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (code != std::errc() || digits.size() != 2 || end != digits.data() + 2)
      return invalid("malformed percent-encoding");
    if (value == 0) return invalid("a NUL in the request target");
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

Result<void> read_path(std::string_view path, Request& request) {
  if (!path.starts_with('/')) return invalid("the request target is not a path");
  path.remove_prefix(1);
  while (!path.empty()) {
    size_t slash = std::min(path.find('/'), path.size());
    Result<std::string> segment = decode(path.substr(0, slash), false);
    if (!segment) return fail(segment);
    request.path.push_back(std::move(*segment));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return {};
}

Result<void> read_query(std::string_view query, Request& request) {
  while (!query.empty()) {
    size_t ampersand = std::min(query.find('&'), query.size());
    std::string_view pair = query.substr(0, ampersand);
    query.remove_prefix(std::min(ampersand + 1, query.size()));
    if (pair.empty()) continue;
    size_t equals = std::min(pair.find('='), pair.size());
    Result<std::string> name = decode(pair.substr(0, equals), true);
    if (!name) return fail(name);
    Result<std::string> value = decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!value) return fail(value);
    if (!request.query.emplace(*name, std::move(*value)).second)
      return invalid("the parameter " + *name + " is given twice");
  }
  return {};
}

}  // namespace

Result<Request> take_apart(const http::Head& head) {
  Request request;
  request.method = head.method() == "HEAD" ? "GET" : head.method();
  std::string_view target = head.target();
  // curl and proxies may write the absolute form; there is one host here, whatever its name.
  if (size_t scheme = target.find("://"); scheme != std::string_view::npos && !target.starts_with('/')) {
    size_t path = target.find_first_of("/?", scheme + 3);
    target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
  }
  target = target.substr(0, target.find('#'));
  size_t question = std::min(target.find('?'), target.size());
  if (Result<void> path = read_path(target.substr(0, question), request); !path) return fail(path);
  if (Result<void> query = read_query(target.substr(std::min(question + 1, target.size())), request); !query)
    return fail(query);
  return request;
}

Result<bool> boolean_parameter(const Request& request, const std::string& name) {
  auto found = request.query.find(name);
  if (found == request.query.end()) return false;
  const std::string& value = found->second;
  if (value.empty() || value == "true" || value == "1") return true;
  if (value == "false" || value == "0") return false;
  return invalid("the parameter " + name + " is true or false, not \"" + value + "\"");
}

Result<size_t> limit_parameter(const Request& request, size_t otherwise) {
  auto found = request.query.find("limit");
  if (found == request.query.end()) return otherwise;
  const std::string& text = found->second;
  size_t value = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || value > kMaximumLimit)
    return invalid("the parameter limit is a number up to " + std::to_string(kMaximumLimit) + ", not \"" + text + "\"");
  return value;
}

Result<void> check_parameters(const Request& request, const std::vector<std::string_view>& known) {
  for (const auto& [name, value] : request.query) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string message = "unknown parameter \"" + name + "\"";
    if (known.empty()) message += "; this resource takes none";
    for (size_t i = 0; i < known.size(); ++i) message.append(i == 0 ? "; known: " : ", ").append(known[i]);
    return invalid(std::move(message));
  }
  return {};
}

}  // namespace waylay::control
