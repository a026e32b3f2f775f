#include "rules/respond_reader.h"

#include "base/base64.h"
#include "body/edit.h"
#include "http/message.h"
#include "rules/header_reader.h"
#include "rules/template_reader.h"

namespace waylay::rules {
namespace {

Template read_base64(Reader& reader, const Json& value, const Place& place) {
  std::optional<std::string> encoded = reader.text(value, place);
  if (!encoded) return {};
  std::optional<std::string> body = decode_base64(*encoded);
  if (body) return Template::plain(std::move(*body));
  reader.wrong(place, "is not base64 (RFC 4648 section 4, padded)");
  return {};
}

Template read_body(Reader& reader, const Json& respond, const Place& place) {
  constexpr struct {
    std::string_view key;
    Template (*read)(Reader&, const Json&, const Place&);
  } kForms[] = {{"body", read_template}, {"body_base64", read_base64}};
  Template body;
  std::string_view given;
  for (const auto& form : kForms) {
    const Json* value = Reader::member(respond, form.key);
    if (!value) continue;
    if (!given.empty())
      reader.wrong(place, "\"" + std::string(given) + "\" and \"" + std::string(form.key) +
                              "\" are two ways to say one thing: give one of them");
    given = form.key;
    body = form.read(reader, *value, place / form.key);
    if (body.text().size() > kMostBodyBytes)
      reader.wrong(place / form.key, std::to_string(body.text().size()) + " bytes; a rule's body has at most 1 MiB");
  }
  return body;
}

BodyAction read_body_edit(Reader& reader, const Json& value, const Place& place) {
  BodyAction action;
  if (value.is_string()) {
    action.replacement = read_template(reader, value, place);
    return action;
  }
  if (value.is_object() && value.contains("replace")) {
    if (reader.is_object(value, place, {"replace"}))
      action.replacement = read_template(reader, value["replace"], place / "replace");
    return action;
  }
  auto edit = body::read_edit(value);
  if (edit)
    action.edit = *std::move(edit);
  else
    reader.wrong(place.inside(edit.error().pointer), edit.error().what);
  return action;
}

}  // namespace

bool has_no_body(int status) {
  return status == 204 || status == 205 || status == 304;
}

std::optional<int> read_status(Reader& reader, const Json& value, const Place& place) {
  std::optional<int64_t> status = reader.integer(value, place);
  if (!status) return std::nullopt;
  if (*status < 100 || *status > 599) {
    reader.wrong(place, std::to_string(*status) + " is not an HTTP status (100 to 599)");
    return std::nullopt;
  }
  if (*status < 200)
    reader.wrong(place, std::to_string(*status) + " is an interim status; an exchange ends with one of 200 to 599");
  return static_cast<int>(*status);
}

std::string read_reason(Reader& reader, const Json& value, const Place& place) {
  std::string reason = reader.text(value, place).value_or("");
  if (!http::valid_field_value(reason)) reader.wrong(place, "holds no line breaks and no control characters");
  return reason;
}

Respond read_respond(Reader& reader, const Json& value, const Place& place) {
  Respond respond;
  if (!reader.is_object(value, place, {"status", "reason", "headers", "body", "body_base64", "file"})) return respond;
  if (const Json* status = Reader::member(value, "status"))
    respond.status = read_status(reader, *status, place / "status").value_or(200);
  respond.reason = http::default_reason(respond.status);
  if (const Json* reason = Reader::member(value, "reason"))
    respond.reason = read_reason(reader, *reason, place / "reason");
  if (const Json* headers = Reader::member(value, "headers"))
    respond.fields = read_fields(reader, *headers, place / "headers", EditOf::OwnResponse);
  respond.body = read_body(reader, value, place);
  bool has_body = !respond.body.is_plain() || !respond.body.text().empty();
  if (has_no_body(respond.status) && has_body)
    reader.wrong(place, "a response with status " + std::to_string(respond.status) + " has no body");
  return respond;
}

std::vector<BodyAction> read_body_edits(Reader& reader, const Json& value, const Place& place) {
  std::vector<BodyAction> edits;
  if (!value.is_array()) {
    edits.push_back(read_body_edit(reader, value, place));
    return edits;
  }
  if (value.empty()) reader.wrong(place, "has no edit");
  for (size_t i = 0; i < value.size(); ++i) edits.push_back(read_body_edit(reader, value[i], place / i));
  return edits;
}

}  // namespace waylay::rules
