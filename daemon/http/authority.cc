#include "http/authority.h"

#include <algorithm>

#include "base/bytes.h"
#include "http/characters.h"

namespace waylay::http {
namespace {

bool is_hexadecimal(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// RFC 3986 section 3.2.2, reg-name; without the comma, at which a list would be split.
bool is_name(std::string_view text) {
  constexpr std::string_view kOthers = "-._~!$&'()*+;=";
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    bool escape = c == '%' && i + 2 < text.size() && is_hexadecimal(text[i + 1]) && is_hexadecimal(text[i + 2]);
    if (!escape && !is_letter(c) && !is_digit(c) && kOthers.find(c) == std::string_view::npos) return false;
  }
  return !text.empty();
}

bool is_bracketed_address(std::string_view text) {
  if (text.size() < 4 || text.front() != '[' || text.back() != ']') return false;
  std::string_view address = text.substr(1, text.size() - 2);
  bool plain = std::ranges::all_of(address, [](char c) { return is_hexadecimal(c) || c == ':' || c == '.'; });
  return plain && address.find(':') != std::string_view::npos;
}

// RFC 3986 allows an empty one.
bool is_port(std::string_view text) {
  unsigned value = 0;
  for (char c : text) {
    if (!is_digit(c)) return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
    if (value > 65535) return false;
  }
  return true;
}

bool is_scheme(std::string_view text) {
  return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  });
}

struct Absolute {
  std::string_view scheme, authority;
};

std::optional<Absolute> absolute_form(std::string_view target) {
  size_t colon = target.find("://");
  if (target.starts_with('/') || colon == std::string_view::npos) return std::nullopt;
  std::string_view rest = target.substr(colon + 3);
  return Absolute{target.substr(0, colon), rest.substr(0, rest.find_first_of("/?#"))};
}

// The port that a scheme means anyhow makes no difference.
std::string comparable(std::string_view authority, std::string_view scheme) {
  std::string_view port = equals_ignoring_case(scheme, "https") ? ":443" : ":80";
  if (authority.ends_with(port)) authority.remove_suffix(port.size());
  if (authority.ends_with(':')) authority.remove_suffix(1);
  return to_lower(authority);
}

std::unexpected<Error> refused(std::string_view message) {
  return fail({ErrorKind::Ambiguous, Side::Client, std::string("request: ").append(message), 0});
}

}  // namespace

bool is_authority(std::string_view text) {
  size_t host_end = text.starts_with('[') ? text.find(']') : text.find(':');
  if (text.starts_with('[') && host_end != std::string_view::npos) ++host_end;
  std::string_view host = text.substr(0, host_end);
  std::string_view rest = text.substr(host.size());
  if (!is_name(host) && !is_bracketed_address(host)) return false;
  return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
}

bool is_target_of(std::string_view method, std::string_view target) {
  if (method == "CONNECT") return is_authority(target) && is_digit(target.back()) && target.find(':') != target.npos;
  if (target.starts_with('/')) return true;
  if (target == "*") return method == "OPTIONS";
  std::optional<Absolute> absolute = absolute_form(target);
  return absolute && is_scheme(absolute->scheme) && is_authority(absolute->authority);
}

Result<void> check_host(const Head& request) {
  std::optional<std::string_view> host = request.first("host");
  if (!host) return request.minor_version() == 0 ? Result<void>() : refused("no Host field");
  std::optional<Absolute> absolute = absolute_form(request.target());
  if (!absolute || request.method() == "CONNECT") return {};
  bool same = comparable(*host, absolute->scheme) == comparable(absolute->authority, absolute->scheme);
  if (!same) return refused("its target and its Host name different hosts");
  return {};
}

}  // namespace waylay::http
