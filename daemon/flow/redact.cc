#include "flow/redact.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/bytes.h"

namespace waylay::flow {
namespace {

// A field whose name has one of these in it holds a secret: Authorization, Proxy-Authorization, Cookie, Set-Cookie,
// X-Amz-Security-Token, X-Api-Key, x-amz-server-side-encryption-customer-key, X-Vault-Token, ...
constexpr auto kSecretInName = std::to_array<std::string_view>(
    {"authorization", "cookie", "token", "secret", "password", "passwd", "api-key", "apikey", "api_key", "customer-key",
     "credential", "signature", "private-key", "session-key"});

// All names of all heads are looked through, so only three letters at every third place are looked at. That is enough:
// the shortest part has five letters, so that wherever it stands one such look falls within it.
constexpr size_t kStride = 3;
static_assert(std::ranges::all_of(kSecretInName, [](std::string_view part) { return part.size() >= 2 * kStride - 1; }));

// These letters in lower case, as a place among many.
constexpr size_t kPlaces = 2048;
constexpr size_t place_of(const char* text) {
  uint32_t letters = 0;
  for (size_t i = 0; i < kStride; ++i) letters |= uint32_t{static_cast<uint8_t>(text[i])} << (8 * i);
  return (letters | 0x202020) * 0x9e3779b1 >> 21;
}
constexpr std::array<bool, kPlaces> kSecretPlaces = [] {
  std::array<bool, kPlaces> places{};
  for (std::string_view part : kSecretInName)
    for (size_t i = 0; i < kStride; ++i) places[place_of(&part[i])] = true;
  return places;
}();

bool begins_with_secret(std::string_view text) {
  return std::any_of(kSecretInName.begin(), kSecretInName.end(),
                     [&](std::string_view part) { return equals_ignoring_case(text.substr(0, part.size()), part); });
}

bool contains_secret(std::string_view name) {
  for (size_t i = 0; i < name.size(); ++i)
    if (begins_with_secret(name.substr(i))) return true;
  return false;
}

constexpr auto kSecretParameters = std::to_array<std::string_view>({"x-amz-signature",
                                                                    "x-amz-credential",
                                                                    "x-amz-security-token",
                                                                    "signature",
                                                                    "awsaccesskeyid",
                                                                    "x-goog-signature",
                                                                    "x-goog-credential",
                                                                    "sig",
                                                                    "token",
                                                                    "access_token",
                                                                    "id_token",
                                                                    "refresh_token",
                                                                    "auth",
                                                                    "key",
                                                                    "api_key",
                                                                    "apikey",
                                                                    "api-key",
                                                                    "password",
                                                                    "passwd",
                                                                    "secret",
                                                                    "client_secret",
                                                                    "code",
                                                                    "session",
                                                                    "jwt",
                                                                    "assertion"});

// Fields whose value is a URL, which may be presigned.
constexpr auto kUrlFields =
    std::to_array<std::string_view>({"location", "content-location", "referer", "link", "refresh"});

constexpr std::string_view kSubprotocols = "sec-websocket-protocol";

// Where a client can send nothing else, its credentials are sent as the name of a protocol, such as Kubernetes'
// "base64url.bearer.authorization.k8s.io.TOKEN".
std::string redact_subprotocols(std::string_view list) {
  std::string out;
  while (!list.empty()) {
    size_t end = std::min(list.find(','), list.size());
    std::string_view name = trim(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    bool is_secret = is_secret_field(name) || to_lower(name).find("bearer") != std::string::npos;
    out.append(out.empty() ? "" : ", ").append(is_secret ? kRedacted : name);
  }
  return out;
}

template <size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& list) {
  return std::any_of(list.begin(), list.end(), [&](std::string_view item) {
    return item.size() == name.size() && equals_ignoring_case(item, name);
  });
}

// "x%2Damz%2Dsignature" is the same name to a server: decoded before it is compared.
std::string percent_decoded(std::string_view text) {
  auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// user:password@ in the authority of an absolute URL.
std::string without_userinfo(std::string_view url) {
  size_t authority = url.find("://");
  if (authority == std::string_view::npos) return std::string(url);
  authority += 3;
  size_t end = url.find_first_of("/?#", authority);
  std::string_view host = url.substr(authority, end == std::string_view::npos ? end : end - authority);
  size_t at = host.rfind('@');
  if (at == std::string_view::npos) return std::string(url);
  return std::string(url.substr(0, authority)).append(kRedacted).append(url.substr(authority + at));
}

// A query or userinfo.
bool may_hold_secret(std::string_view url) {
  return url.find('?') != std::string_view::npos || url.find('@') != std::string_view::npos;
}

}  // namespace

bool is_secret_field(std::string_view header_name) {
  for (size_t i = 0; i + kStride <= header_name.size(); i += kStride)
    if (kSecretPlaces[place_of(&header_name[i])]) return contains_secret(header_name);
  return false;
}

bool is_secret_parameter(std::string_view query_name) {
  return is_one_of(percent_decoded(query_name), kSecretParameters);
}

std::string redact_target(std::string_view target) {
  size_t question = target.find('?');
  if (question == std::string_view::npos) return without_userinfo(target);
  std::string out = without_userinfo(target.substr(0, question + 1));
  std::string_view rest = target.substr(question + 1);
  for (;;) {
    size_t end = rest.find_first_of("&;");
    std::string_view parameter = rest.substr(0, end);
    size_t equals = parameter.find('=');
    if (equals != std::string_view::npos && is_secret_parameter(parameter.substr(0, equals))) {
      out.append(parameter.substr(0, equals + 1)).append(kRedacted);
    } else {
      out.append(parameter);
    }
    if (end == std::string_view::npos) return out;
    out += rest[end];
    rest.remove_prefix(end + 1);
  }
}

void redact(http::Head& head) {
  if (head.kind() == http::Kind::Request && may_hold_secret(head.target()))
    head.set_target(redact_target(head.target()));
  // Names first, edits after: an edit moves the views.
  std::vector<std::string> secret;
  std::vector<std::pair<std::string, std::string>> urls;
  for (size_t i = 0; i < head.field_count(); ++i) {
    http::HeaderField field = head.field(i);
    if (is_secret_field(field.name)) {
      secret.emplace_back(field.name);
    } else if (is_one_of(field.name, kUrlFields) && may_hold_secret(field.value)) {
      urls.emplace_back(field.name, redact_target(field.value));
    } else if (equals_ignoring_case(field.name, kSubprotocols)) {
      urls.emplace_back(field.name, redact_subprotocols(field.value));
    }
  }
  for (const std::string& name : secret) head.set(name, kRedacted);
  for (const auto& [name, value] : urls) head.set(name, value);
}

}  // namespace waylay::flow
