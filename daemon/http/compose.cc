#include "base/check.h"
#include "http/h1.h"

namespace waylay::http {

std::string compose_response(int status, std::string_view reason,
                             const std::vector<std::pair<std::string, std::string>>& fields, std::string_view body,
                             bool with_body) {
  CHECK(status >= 100 && status <= 999 && valid_field_value(reason));
  std::string out;
  out.reserve(128 + fields.size() * 48 + body.size());
  out.append("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reason).append("\r\n");
  for (const auto& [name, value] : fields) {
    CHECK(valid_field_name(name) && valid_field_value(value));
    out.append(name).append(": ").append(value).append("\r\n");
  }
  // RFC 9110 section 8.6: these have none, and a 304's would speak of a body that we do not know.
  bool bodiless = forbids_body(status);
  if (!bodiless) out.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  out.append("\r\n");
  if (with_body && !bodiless) out.append(body);
  return out;
}

}  // namespace waylay::http
