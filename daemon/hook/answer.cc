#include "hook/answer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/bytes.h"
#include "http/message.h"

namespace waylay::hook {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto kOurs = std::to_array<std::string_view>(
    {"content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade"});

Error malformed(std::string_view what) {
  return Error::local(ErrorKind::Protocol, "the handler's answer " + std::string(what));
}

bool is_ours(std::string_view name) {
  return std::ranges::any_of(kOurs, [&](std::string_view ours) { return equals_ignoring_case(ours, name); });
}

// A header's value may be written as a string, a number or a boolean.
Result<void> add_field(rules::Fields& fields, const std::string& name, const Json& value) {
  if (value.is_structured() || value.is_null())
    return fail(malformed("has a value of \"" + name + "\" that is neither text, number nor boolean"));
  std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (!http::valid_field_name(name) || !http::valid_field_value(text))
    return fail(malformed("has a header \"" + name + "\" that HTTP does not allow"));
  if (!is_ours(name)) fields.emplace_back(name, std::move(text));
  return {};
}

Result<void> add_single(rules::Fields& fields, const Json& headers, const Json& multiple) {
  if (headers.is_null()) return {};
  if (!headers.is_object()) return fail(malformed("has \"headers\" that are no object"));
  for (const auto& [name, value] : headers.items()) {
    // As API Gateway does: what is in both is taken from multiValueHeaders.
    if (multiple.is_object() && multiple.contains(name)) continue;
    if (Result<void> added = add_field(fields, name, value); !added) return added;
  }
  return {};
}

Result<void> add_multiple(rules::Fields& fields, const Json& headers) {
  if (headers.is_null()) return {};
  if (!headers.is_object()) return fail(malformed("has \"multiValueHeaders\" that are no object"));
  for (const auto& [name, values] : headers.items()) {
    if (!values.is_array()) return fail(malformed("has \"multiValueHeaders\" of which \"" + name + "\" is no array"));
    for (const Json& value : values)
      if (Result<void> added = add_field(fields, name, value); !added) return added;
  }
  return {};
}

Result<std::string> read_body(const Json& answer) {
  auto body = answer.find("body");
  if (body == answer.end() || body->is_null()) return std::string();
  if (!body->is_string())
    return fail(malformed("has a \"body\" that is no string: an object has to be made JSON text first"));
  auto encoded = answer.find("isBase64Encoded");
  if (encoded == answer.end() || !encoded->is_boolean() || !encoded->get<bool>()) return body->get<std::string>();
  std::optional<std::string> bytes = decode_base64(body->get_ref<const std::string&>());
  if (!bytes) return fail(malformed("has isBase64Encoded, but its \"body\" is not Base64"));
  return std::move(*bytes);
}

int64_t number_in(const std::string& text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Result<int> read_status(const Json& answer) {
  auto status = answer.find("statusCode");
  if (status == answer.end()) return fail(malformed("has no \"statusCode\""));
  int64_t code = 0;
  if (status->is_number_integer()) code = status->get<int64_t>();
  if (status->is_string()) code = number_in(status->get_ref<const std::string&>());  // API Gateway takes "200" too
  if (code < 200 || code > 599) return fail(malformed("has a \"statusCode\" that is none of 200 to 599"));
  return static_cast<int>(code);
}

Result<rules::Response> read_response(const Json& answer) {
  rules::Response response;
  Result<int> status = read_status(answer);
  if (!status) return fail(status);
  response.status = *status;
  response.reason = http::default_reason(*status);
  const Json multiple = answer.value("multiValueHeaders", Json());
  if (Result<void> added = add_single(response.fields, answer.value("headers", Json()), multiple); !added)
    return fail(added);
  if (Result<void> added = add_multiple(response.fields, multiple); !added) return fail(added);
  Result<std::string> body = read_body(answer);
  if (!body) return fail(body);
  response.body = std::move(*body);
  bool bodiless = *status == 204 || *status == 205 || *status == 304;
  if (bodiless && !response.body.empty())
    return fail(malformed("has a body, which a response with status " + std::to_string(*status) + " cannot have"));
  return response;
}

}  // namespace

Result<std::optional<rules::Response>> read_answer(std::string_view json) {
  Json answer = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (answer.is_discarded()) return fail(malformed("is not JSON"));
  if (answer.is_null()) return std::optional<rules::Response>();
  if (!answer.is_object()) return fail(malformed("is no object with a \"statusCode\""));
  Result<rules::Response> response = read_response(answer);
  if (!response) return fail(response);
  return std::optional(std::move(*response));
}

}  // namespace waylay::hook
