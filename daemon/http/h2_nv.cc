#include "http/h2_nv.h"

#include "base/bytes.h"

namespace waylay::http {
namespace {

// RFC 9113 section 8.2.2: these speak of an HTTP/1 connection. Rules may have added them.
bool is_of_connection(std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 2:
      return equals_ignoring_case(name, "te") && !equals_ignoring_case(value, "trailers");
    case 7:
      return equals_ignoring_case(name, "upgrade");
    case 10:
      return equals_ignoring_case(name, "connection") || equals_ignoring_case(name, "keep-alive");
    case 16:
      return equals_ignoring_case(name, "proxy-connection");
    case 17:
      return equals_ignoring_case(name, "transfer-encoding");
    default:
      return false;
  }
}

bool contains_name(std::string_view list, std::string_view name) {
  for (size_t at = list.find(name); at != std::string_view::npos; at = list.find(name, at + 1)) {
    if (list[at - 1] == '\n' && list[at + name.size()] == '\n') return true;  // both are there: see H2Head
  }
  return false;
}

}  // namespace

void H2Fields::add(std::string_view name, std::string_view value, bool never_index) {
  uint8_t flags = never_index ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
  // nghttp2 only reads them; its structure serves both directions.
  auto* name_bytes = const_cast<uint8_t*>(as_u8(as_bytes(name)));
  auto* value_bytes = const_cast<uint8_t*>(as_u8(as_bytes(value)));
  list_.push_back({name_bytes, value_bytes, name.size(), value.size(), flags});
}

void H2Fields::add_fields(const Head& head, std::string_view never_indexed, bool host_is_authority) {
  for (size_t i = 0; i < head.field_count(); ++i) {
    HeaderField field = head.field(i);
    if (is_of_connection(field.name, field.value)) continue;
    if (host_is_authority && equals_ignoring_case(field.name, "host")) continue;
    add(field.name, field.value, !never_indexed.empty() && contains_name(never_indexed, to_lower(field.name)));
  }
}

H2Fields& H2Fields::of_request(const Head& head, const H2Extras& extras) {
  bool tunnel = head.method() == "CONNECT" && extras.protocol.empty();
  list_.clear();
  add(":method", head.method());
  if (tunnel) {
    add(":authority", head.target());
  } else {
    add(":scheme", extras.scheme);
    std::optional<std::string_view> host = head.first("host");
    if (extras.authority && host) add(":authority", *host);
    add(":path", head.target());
    if (!extras.protocol.empty()) add(":protocol", extras.protocol);
  }
  add_fields(head, extras.never_indexed, extras.authority && !tunnel);
  return *this;
}

H2Fields& H2Fields::of_response(const Head& head, std::string_view never_indexed) {
  list_.clear();
  int status = head.status();
  status_[0] = static_cast<char>('0' + status / 100);
  status_[1] = static_cast<char>('0' + status / 10 % 10);
  status_[2] = static_cast<char>('0' + status % 10);
  add(":status", std::string_view(status_, 3));
  add_fields(head, never_indexed, false);
  return *this;
}

H2Fields& H2Fields::of_trailers(const Trailers& trailers) {
  list_.clear();
  for (const auto& [name, value] : trailers) {
    if (!is_of_connection(name, value)) add(name, value);
  }
  return *this;
}

}  // namespace waylay::http
