#include "rules/connection_reader.h"

#include <algorithm>

#include "base/nearest.h"
#include "rules/delay_reader.h"
#include "tls/alert.h"

namespace waylay::rules {
namespace {

constexpr std::pair<std::string_view, TlsFault::Certificate> kCertificates[] = {
    {"expired", TlsFault::Certificate::Expired},
    {"wrong-host", TlsFault::Certificate::WrongHost},
    {"self-signed", TlsFault::Certificate::SelfSigned},
};

// RFC 1123 section 2.1, and underscores, which container names have.
bool is_host_name(std::string_view host) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  return !host.empty() && host.size() <= 253 && host.find_first_not_of(kAllowed) == std::string_view::npos &&
         host.front() != '.' && host.front() != '-';
}

std::optional<Address> read_address(Reader& reader, const Json& upstream, const Place& place) {
  std::optional<std::string> text = reader.text(upstream, "address", place);
  if (!text) return std::nullopt;
  Result<Address> address = Address::parse_ip(*text, 0);
  if (address) return *address;
  reader.wrong(place / "address", "\"" + *text + "\" is not an IPv4 or IPv6 address");
  return std::nullopt;
}

void read_host(Reader& reader, const Json& upstream, const Place& place, Redirect& redirect) {
  std::optional<std::string> host = reader.text(upstream, "host", place);
  redirect.address = read_address(reader, upstream, place);
  if (!host) return;
  redirect.host = *host;
  Result<Address> literal = Address::parse_ip(*host, 0);
  if (literal && !redirect.address) redirect.address = *literal;
  if (literal) return;
  if (!is_host_name(*host))
    return reader.wrong(place / "host", "\"" + *host + "\" is neither a host name nor an IP address");
  if (!redirect.address)
    reader.wrong(place / "host",
                 "\"" + *host +
                     "\" is a name: give its \"address\" too, since the daemon asks no resolver (waylay "
                     "rules add looks it up)");
}

uint16_t read_port(Reader& reader, const Json& upstream, const Place& place) {
  std::optional<int64_t> port = reader.integer(upstream, "port", place);
  if (!port) return 0;
  if (*port < 1 || *port > 65535) reader.wrong(place / "port", "must be a port, 1 to 65535");
  return static_cast<uint16_t>(*port);
}

TlsFault::Certificate read_certificate(Reader& reader, const Json& value, const Place& place) {
  std::optional<std::string> name = reader.text(value, place);
  if (!name) return {};
  std::vector<std::string_view> names;
  for (const auto& [known, certificate] : kCertificates) {
    if (known == *name) return certificate;
    names.push_back(known);
  }
  reader.wrong(place, "\"" + *name + "\" is unknown: expired, wrong-host or self-signed" + did_you_mean(*name, names));
  return {};
}

std::optional<uint8_t> read_alert(Reader& reader, const Json& value, const Place& place) {
  std::optional<std::string> name = reader.text(value, place);
  if (!name) return std::nullopt;
  std::vector<std::string_view> names;
  for (unsigned number = 1; number < 256; ++number) {  // 0, close_notify, is not fatal
    std::string_view known = tls::alert_name(static_cast<uint8_t>(number));
    if (known == *name && known.find(' ') == std::string_view::npos) return static_cast<uint8_t>(number);
    names.push_back(known);
  }
  reader.wrong(place, "\"" + *name + "\" is not a fatal TLS alert, such as handshake_failure (RFC 8446 section 6.2)" +
                          did_you_mean(*name, names));
  return std::nullopt;
}

}  // namespace

Redirect read_upstream(Reader& reader, const Json& value, const Place& place) {
  Redirect redirect;
  if (!reader.is_object(value, place, {"host", "address", "port", "rewrite_host", "rewrite_sni"})) return redirect;
  read_host(reader, value, place, redirect);
  redirect.port = read_port(reader, value, place);
  redirect.rewrite_host = reader.boolean(value, "rewrite_host", place).value_or(false);
  redirect.rewrite_sni = reader.boolean(value, "rewrite_sni", place).value_or(false);
  if (!redirect.address && redirect.port == 0) reader.wrong(place, "needs a \"host\", a \"port\" or both");
  if ((redirect.rewrite_host || redirect.rewrite_sni) && redirect.host.empty())
    reader.wrong(place, "\"rewrite_host\" and \"rewrite_sni\" write the \"host\", which is missing");
  return redirect;
}

std::optional<Block> read_block(Reader& reader, const Json& value, const Place& place) {
  if (value == true) return Block::Refuse;
  if (value == "rst") return Block::Reset;
  reader.wrong(place, "must be true (a TLS alert, or a 403) or \"rst\"");
  return std::nullopt;
}

TlsAction read_tls(Reader& reader, const Json& value, const Place& place) {
  TlsAction tls;
  if (!value.is_object()) {
    tls.certificate = read_certificate(reader, value, place);
    return tls;
  }
  if (!reader.is_object(value, place, {"certificate", "alert", "delay"})) return tls;
  if (value.empty()) reader.wrong(place, "is one of \"certificate\", \"alert\" and \"delay\"");
  const Json* certificate = Reader::member(value, "certificate");
  const Json* alert = Reader::member(value, "alert");
  const Json* delay = Reader::member(value, "delay");
  if (certificate && alert) reader.wrong(place, "with an \"alert\" no \"certificate\" is sent: give one of them");
  if (certificate) tls.certificate = read_certificate(reader, *certificate, place / "certificate");
  if (alert) tls.alert = read_alert(reader, *alert, place / "alert");
  if (delay) tls.delay = read_delay(reader, *delay, place / "delay");
  return tls;
}

}  // namespace waylay::rules
