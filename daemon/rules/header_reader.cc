#include "rules/header_reader.h"

#include <algorithm>

#include "base/bytes.h"
#include "http/message.h"
#include "rules/template_reader.h"

namespace waylay::rules {
namespace {

struct Forbidden {
  std::string_view name, why;
};

constexpr std::string_view kFrames = "it says where the message ends, and is kept right by Waylay";
constexpr std::string_view kHopByHop = "it concerns one connection, not the message (RFC 9110 section 7.6.1)";
constexpr Forbidden kFraming[] = {
    {"content-length", kFrames},
    {"transfer-encoding", kFrames},
    {"connection", kHopByHop},
    {"keep-alive", kHopByHop},
    {"proxy-connection", kHopByHop},
    {"upgrade", kHopByHop},
    {"trailer", kFrames},
    {"te", kHopByHop},
};

constexpr Forbidden kOfEveryRequest[] = {
    {"host",
     "SigV4 signs it, so that the service would refuse the request; \"upstream\" with \"rewrite_host\" changes it"},
    {"expect", "the client waits for an answer to it"},
};

constexpr std::string_view kSigned =
    "SigV4 signs it, so that the service would refuse the request; \"break_signature\": true allows it";
constexpr Forbidden kSignature[] = {
    {"authorization", kSigned},
    {"x-amz-date", kSigned},
    {"x-amz-content-sha256", kSigned},
    {"x-amz-security-token", kSigned},
};

using FieldTemplates = std::vector<std::pair<std::string, Template>>;

template <size_t N>
const Forbidden* find(const Forbidden (&table)[N], std::string_view name) {
  auto row = std::ranges::find_if(table, [name](const Forbidden& f) { return equals_ignoring_case(f.name, name); });
  return row == std::end(table) ? nullptr : row;
}

void check_name(Reader& reader, std::string_view name, const Place& place, EditOf side) {
  if (!http::valid_field_name(name)) return reader.wrong(place, "is not a header name (RFC 9110 section 5.1)");
  const Forbidden* row = find(kFraming, name);
  if (!row && (side == EditOf::Request || side == EditOf::SignedRequest)) row = find(kOfEveryRequest, name);
  if (!row && side == EditOf::Request) row = find(kSignature, name);
  if (row) reader.wrong(place, "a rule may not change this header: " + std::string(row->why));
}

void read_value(Reader& reader, const std::string& name, const Json& value, const Place& place, FieldTemplates& into) {
  if (!value.is_string())
    return reader.wrong(place, "a header's value must be text in quotes, not " + std::string(describe(value)));
  if (!http::valid_field_value(value.get<std::string>()))
    return reader.wrong(place, "a header's value holds no line breaks and no control characters");
  into.emplace_back(name, read_template(reader, value, place));
}

}  // namespace

FieldTemplates read_fields(Reader& reader, const Json& value, const Place& place, EditOf side) {
  FieldTemplates fields;
  if (!value.is_object()) {
    reader.wrong(place, "must be an object of header names and values, not " + std::string(describe(value)));
    return fields;
  }
  for (const auto& [name, member] : value.items()) {
    Place at = place / name;
    check_name(reader, name, at, side);
    if (!member.is_array()) {
      read_value(reader, name, member, at, fields);
      continue;
    }
    for (size_t i = 0; i < member.size(); ++i) read_value(reader, name, member[i], at / i, fields);
  }
  return fields;
}

HeaderTemplates read_edits(Reader& reader, const Json& value, const Place& place, EditOf side) {
  HeaderTemplates edits;
  if (!reader.is_object(value, place, {"set", "add", "remove"})) return edits;
  if (auto set = value.find("set"); set != value.end()) edits.set = read_fields(reader, *set, place / "set", side);
  if (auto add = value.find("add"); add != value.end()) edits.add = read_fields(reader, *add, place / "add", side);
  auto remove = value.find("remove");
  if (remove == value.end()) return edits;
  Place at = place / "remove";
  if (!remove->is_array()) {
    reader.wrong(at, "must be an array of header names, not " + std::string(describe(*remove)));
    return edits;
  }
  for (size_t i = 0; i < remove->size(); ++i) {
    const Json& name = (*remove)[i];
    if (!name.is_string()) {
      reader.wrong(at / i, "must be a header name, not " + std::string(describe(name)));
      continue;
    }
    edits.remove.push_back(name.get<std::string>());
    check_name(reader, edits.remove.back(), at / i, side);
  }
  return edits;
}

}  // namespace waylay::rules
