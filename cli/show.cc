#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/conversation.h"
#include "cli/describe.h"
#include "cli/json.h"
#include "cli/session.h"

namespace waylay::cli {
namespace {

// "name      value" lines; empty values are left out.
class Page {
 public:
  explicit Page(Session& session) : session_(session) {}
  void title(std::string_view text) { session_.out << session_.terminal.paint(Color::Bold, text) << "\n"; }
  void line(std::string_view name, std::string_view value) {
    constexpr size_t kNames = 14;
    if (!value.empty())
      session_.out << "  " << session_.terminal.paint(Color::Dim, pad(name, kNames)) << " " << value << "\n";
  }

 private:
  Session& session_;
};

std::string duration(const Json& json, std::string_view key) {
  return member(json, key).is_number() ? human_duration(number(json, key)) : "";
}

std::string tls_in_words(const Json& tls) {
  std::string out = text(tls, "version");
  for (const char* key : {"cipher", "alpn"})
    if (std::string value = text(tls, key); !value.empty()) out += ", " + value;
  if (flag(tls, "resumed")) out += ", resumed";
  return out;
}

std::string tcp_in_words(const Json& tcp) {
  if (!tcp.is_object()) return "";
  std::string out = "round trip " + human_duration(number(tcp, "rtt_us") / 1000) + ", " +
                    to_line(member(tcp, "retransmits")) + " sent again, window " +
                    to_line(member(tcp, "congestion_window"));
  if (double rate = number(tcp, "delivery_rate"); rate > 0)
    out += ", " + human_size(static_cast<uint64_t>(rate)) + "/s";
  return out;
}

void print_origin(Page& page, const Json& event) {
  const Json& container = member(event, "container");
  std::string image = text(container, "image");
  page.line("target", text(event, "target"));
  page.line("container", text(container, "name") + (image.empty() ? "" : " (" + image + ")"));
  const Json& process = member(event, "process");
  page.line("process", who({{"process", process}}));
  page.line("executable", text(process, "exe"));
  page.line("cgroup", text(process, "cgroup"));
  page.line("client", text(event, "client"));
  page.line("destination", text(event, "destination"));
  page.line("server name", text(event, "server_name"));
}

void print_headers(Session& session, const Json& message) {
  const Json& headers = member(message, "headers");
  if (!headers.is_array()) return;
  for (const Json& header : headers)
    if (header.is_array() && header.size() == 2 && header[0].is_string() && header[1].is_string())
      session.out << "  " << harmless(header[0].get<std::string>()) << ": " << harmless(header[1].get<std::string>())
                  << "\n";
}

void print_body(Session& session, const Json& message) {
  if (double size = number(message, "body_bytes"); size > 0)
    session.out << session.terminal.paint(Color::Dim, "  (body: " + human_size(static_cast<uint64_t>(size)) + ")")
                << "\n";
}

void print_messages(Session& session, const Json& conversation) {
  const Json& messages = member(conversation, "messages");
  if (!messages.is_array() || messages.empty()) return;
  session.out << "\n" << session.terminal.paint(Color::Bold, "Messages") << "\n";
  Table table({"TIME", "FROM", "TYPE", "SIZE", "CONTENT"});
  table.align_right(3);
  for (const Json& message : messages)
    table.add({human_time(text(message, "time"), session.now_s()), text(message, "from"), text(message, "message"),
               human_size(static_cast<uint64_t>(number(message, "bytes"))), message_content(message)});
  session.out << table.text(session.terminal);
  if (auto more = static_cast<uint64_t>(number(conversation, "messages_left_out")); more > 0)
    session.out << "and " << more << " that were not kept\n";
}

void print_exchange(Session& session, const Json& exchange) {
  Page page(session);
  page.title("Exchange " + to_line(member(exchange, "id")));
  page.line("time", text(exchange, "time"));
  page.line("took", duration(exchange, "duration_ms"));
  page.line("first byte", duration(exchange, "first_byte_ms"));
  page.line("connection", "f" + to_line(member(exchange, "flow")));
  print_origin(page, exchange);
  page.line("end", text(exchange, "end"));
  page.line("error", text(exchange, "error"));
  page.line("rules", what_rules_did(exchange));
  page.line("injected", flag(exchange, "injected") ? "yes" : "no");
  for (const auto& [name, value] : conversation_lines(exchange)) page.line(name, value);
  const Json& aws = member(exchange, "aws");
  page.line("call", aws_call(exchange));
  page.line("invocation", text(aws, "invocation_id"));
  page.line("SDK", text(aws, "sdk") + " " + text(aws, "sdk_version") + " " + text(aws, "retry_mode"));
  const Json& request = member(exchange, "request");
  session.out << "\n";
  page.title(text(exchange, "method") + " " + text(exchange, "path") + " " + text(request, "version"));
  print_headers(session, request);
  print_body(session, request);
  const Json& response = member(exchange, "response");
  if (!response.is_object()) return;
  session.out << "\n";
  page.title(text(response, "version") + " " + to_line(member(exchange, "status")) + " " + text(response, "reason"));
  int upstream = static_cast<int>(number(exchange, "upstream_status"));
  if (upstream != static_cast<int>(number(exchange, "status")))
    session.out << "  ("
                << (upstream == 0 ? "the upstream was not asked" : "the upstream said " + std::to_string(upstream))
                << ")\n";
  print_headers(session, response);
  print_body(session, response);
  print_messages(session, member(exchange, "conversation"));
}

void print_connection(Session& session, const Json& flow) {
  Page page(session);
  page.title("Connection f" + to_line(member(flow, "id")));
  page.line("time", text(flow, "time"));
  page.line("took", duration(flow, "duration_ms"));
  print_origin(page, flow);
  page.line("outcome", outcome_in_words(flow));
  page.line("client TLS", tls_in_words(member(member(flow, "tls"), "client")));
  page.line("upstream TLS", tls_in_words(member(member(flow, "tls"), "upstream")));
  page.line("TLS failure", text(member(flow, "tls"), "failure"));
  if (flag(member(flow, "tls"), "client_certificate")) page.line("identity", "our client certificate was shown");
  page.line("JA4", text(flow, "ja4"));
  if (flag(flow, "ech_offered")) page.line("ECH", "an encrypted ClientHello was offered (real or GREASE)");
  page.line("from client", human_size(static_cast<uint64_t>(number(flow, "bytes_from_client"))));
  page.line("from upstream", human_size(static_cast<uint64_t>(number(flow, "bytes_from_upstream"))));
  for (const char* side : {"client", "upstream"}) {
    page.line(std::string("TCP ") + side, tcp_in_words(member(member(flow, "tcp"), side)));
    const Json& traffic = member(member(flow, "traffic"), std::string("from_") + side);
    if (double count = number(member(traffic, "records"), "count"); count > 0)
      page.line(std::string("records ") + side, std::to_string(static_cast<uint64_t>(count)));
  }
  page.line("exchanges", to_line(member(flow, "exchanges")));
}

}  // namespace

int show(Session& session, const Parsed& parsed) {
  std::string id = parsed.arguments[0];
  bool connection = id.starts_with('f');
  if (connection) id.erase(0, 1);
  bool number = !id.empty() && std::all_of(id.begin(), id.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!number)
    return session.misused("\"" + parsed.arguments[0] + "\" is no ID: \"waylay flows\" shows them, such as 17 or f3");
  Result<Json> answer = session.api.get((connection ? "/v1/flows/" : "/v1/exchanges/") + id);
  if (!answer) return session.complain(answer.error());
  if (parsed.has("--json")) {
    session.out << to_line(*answer) << "\n";
  } else if (connection) {
    print_connection(session, *answer);
  } else {
    print_exchange(session, *answer);
  }
  return kOk;
}

}  // namespace waylay::cli
