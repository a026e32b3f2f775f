#include "simulation/h2_fields.h"

#include <algorithm>

namespace waylay::simulation {

using Tunnel = PlannedExchange::Tunnel;

std::string value_of(const Fields& fields, std::string_view name) {
  for (const auto& [field, value] : fields)
    if (field == name) return value;
  return "";
}

Fields named_like(const Fields& fields, std::string_view prefix) {
  Fields found;
  for (const auto& field : fields)
    if (field.first.starts_with(prefix)) found.push_back(field);
  return found;
}

Fields request_fields(const PlannedExchange& planned, Chance& chance) {
  Fields fields = {{":method", planned.method}};
  if (planned.tunnel == Tunnel::Extended) fields.emplace_back(":protocol", "websocket");
  if (planned.tunnel != Tunnel::Connect) {
    fields.emplace_back(":scheme", "https");
    fields.emplace_back(":path", planned.name);
  }
  fields.emplace_back(":authority", planned.tunnel == Tunnel::Connect ? "inner.test:443" : "origin.test");
  fields.emplace_back("x-exchange", planned.name);
  if (planned.request_body == Body::Length) fields.emplace_back("content-length", std::to_string(planned.request_size));
  fields.insert(fields.end(), planned.request_fields.begin(), planned.request_fields.end());
  fields.emplace_back("cookie", "name=" + planned.name);
  if (chance.one_in(2)) fields.emplace_back("te", "trailers");
  fields.emplace_back("cookie", "second=2");  // crumbs are joined (RFC 9113 section 8.2.3)
  return fields;
}

Fields response_fields(const PlannedExchange& planned) {
  Fields fields = {{":status", std::to_string(planned.status)}, {"x-exchange", planned.name}};
  if (planned.response_body == Body::Length)
    fields.emplace_back("content-length", std::to_string(planned.response_size));
  fields.insert(fields.end(), planned.response_fields.begin(), planned.response_fields.end());
  return fields;
}

}  // namespace waylay::simulation
