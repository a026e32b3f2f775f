#include "record/json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/bytes.h"

namespace waylay::record {
namespace {

using Json = nlohmann::ordered_json;

double milliseconds(int64_t ns) {
  return std::round(static_cast<double>(ns) / 1e3) / 1e3;
}

Json since(Time start, Time moment) {
  return moment.wall_ns == 0 ? Json(nullptr) : Json(milliseconds(moment.steady_ns - start.steady_ns));
}

Json time_or_null(Time moment) {
  return moment.wall_ns == 0 ? Json(nullptr) : Json(to_iso8601(moment.wall_ns));
}

Json text_or_null(std::string_view text) {
  return text.empty() ? Json(nullptr) : Json(valid_utf8(text));
}

Json tls_json(const flow::TlsFacts& tls) {
  if (tls.version.empty()) return nullptr;
  return {{"version", tls.version}, {"cipher", tls.cipher}, {"alpn", valid_utf8(tls.alpn)}, {"resumed", tls.resumed}};
}

Json container_json(const flow::Owner& owner) {
  if (owner.container_id.empty() && owner.container_name.empty()) return nullptr;
  return {{"id", valid_utf8(owner.container_id)},
          {"name", valid_utf8(owner.container_name)},
          {"image", valid_utf8(owner.container_image)}};
}

Json call_json(const aws::Call& call) {
  if (!call.known() && call.invocation_id.empty()) return nullptr;
  return {{"service", valid_utf8(call.service)},
          {"operation", valid_utf8(call.operation)},
          {"region", valid_utf8(call.region)},
          {"bucket", valid_utf8(call.bucket)},
          {"key", valid_utf8(call.key)},
          {"table", valid_utf8(call.table)},
          {"attempt", call.attempt},
          {"max_attempts", call.max_attempts},
          {"invocation_id", valid_utf8(call.invocation_id)},
          {"sdk", valid_utf8(call.sdk)},
          {"sdk_version", valid_utf8(call.sdk_version)},
          {"retry_mode", call.retry_mode}};
}

Json rules_json(const std::vector<flow::AppliedRule>& applied) {
  Json rules = Json::array();
  for (const flow::AppliedRule& rule : applied)
    rules.push_back({{"rule", rule.rule}, {"what", valid_utf8(rule.what)}, {"injected", rule.injected}});
  return rules;
}

Json head_json(const std::optional<http::Head>& head) {
  if (!head) return nullptr;
  Json headers = Json::array();
  for (size_t i = 0; i < head->field_count(); ++i) {
    http::HeaderField field = head->field(i);
    headers.push_back(Json::array({valid_utf8(field.name), valid_utf8(field.value)}));
  }
  std::string_view raw = head->raw();
  return {{"line", valid_utf8(raw.substr(0, raw.find('\r')))}, {"headers", std::move(headers)}};
}

Json attempt_json(const Attempt& attempt) {
  return {{"exchange", attempt.exchange},
          {"number", attempt.number},
          {"status", attempt.status},
          {"end", flow::to_string(attempt.end)},
          {"result", to_string(attempt.result)},
          {"injected", attempt.injected},
          {"rules", attempt.rules},
          {"what", valid_utf8(attempt.what)},
          {"error", valid_utf8(attempt.error)},
          {"time", to_iso8601(attempt.started.wall_ns)},
          {"gap_ms", milliseconds(attempt.gap_ns)},
          {"duration_ms", milliseconds(attempt.duration_ns())}};
}

size_t failures(const Invocation& invocation, bool injected) {
  size_t number = 0;
  for (const Attempt& attempt : invocation.attempts)
    number += attempt.result == Attempted::Failed && attempt.injected == injected;
  return number;
}

Json row_json(const SummaryRow& row) {
  return {{"service", valid_utf8(row.service)},
          {"operation", valid_utf8(row.operation)},
          {"host", valid_utf8(row.host)},
          {"inferred", row.inferred},
          {"calls", row.calls},
          {"attempts", row.attempts},
          {"retried", row.retried},
          {"retries", row.retries},
          {"lost", row.lost},
          {"open", row.open},
          {"injected_failures", row.injected_failures},
          {"organic_failures", row.organic_failures},
          {"lost_ms",
           {{"p50", milliseconds(row.lost_p50_ns)},
            {"max", milliseconds(row.lost_max_ns)},
            {"total", milliseconds(row.lost_total_ns)}}},
          {"waiting_ms", milliseconds(row.waiting_ns)}};
}

// The length of the UTF-8 sequence that begins here (Unicode 15, table 3-7); 0 when none does.
size_t sequence_length(std::string_view bytes) {
  auto byte = [&](size_t i) { return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u; };
  auto within = [&](size_t i, unsigned low, unsigned high) { return byte(i) >= low && byte(i) <= high; };
  unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return within(1, 0x80, 0xbf) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    unsigned low = first == 0xe0 ? 0xa0 : 0x80, high = first == 0xed ? 0x9f : 0xbf;
    return within(1, low, high) && within(2, 0x80, 0xbf) ? 3 : 0;
  }
  if (first < 0xf0 || first > 0xf4) return 0;
  unsigned low = first == 0xf0 ? 0x90 : 0x80, high = first == 0xf4 ? 0x8f : 0xbf;
  return within(1, low, high) && within(2, 0x80, 0xbf) && within(3, 0x80, 0xbf) ? 4 : 0;
}

}  // namespace

std::string valid_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    size_t length = sequence_length(bytes);
    out.append(length > 0 ? bytes.substr(0, length) : std::string_view("\xef\xbf\xbd"));
    bytes.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

Json to_json(const flow::FlowFacts& flow) {
  const flow::Owner& owner = flow.owner;
  return {{"id", flow.id},
          {"target", valid_utf8(flow.target_name)},
          {"outcome", flow::to_string(flow.outcome)},
          {"reason", valid_utf8(flow.reason)},
          {"opened", to_iso8601(flow.opened.wall_ns)},
          {"closed", time_or_null(flow.closed)},
          {"duration_ms", since(flow.opened, flow.closed)},
          {"client", flow.client.to_string()},
          {"destination", flow.destination.to_string()},
          {"server_name", valid_utf8(flow.server_name)},
          {"ja4", valid_utf8(flow.ja4)},
          {"process",
           {{"pid", owner.pid},
            {"tid", owner.tid},
            {"uid", owner.uid},
            {"gid", owner.gid},
            {"comm", valid_utf8(owner.comm)},
            {"exe", valid_utf8(owner.exe)}}},
          {"cgroup", valid_utf8(owner.cgroup)},
          {"container", container_json(owner)},
          {"client_tls", tls_json(flow.client_tls)},
          {"upstream_tls", tls_json(flow.upstream_tls)},
          {"bytes_from_client", flow.bytes_from_client},
          {"bytes_from_upstream", flow.bytes_from_upstream},
          {"exchanges", flow.exchanges}};
}

Json to_json(const flow::ExchangeFacts& exchange) {
  const flow::FlowFacts& flow = *exchange.flow;
  return {{"id", exchange.id},
          {"flow", flow.id},
          {"time", to_iso8601(exchange.started.wall_ns)},
          {"duration_ms", since(exchange.started, exchange.ended)},
          {"target", valid_utf8(flow.target_name)},
          {"process", {{"pid", flow.owner.pid}, {"comm", valid_utf8(flow.owner.comm)}}},
          {"container", text_or_null(flow.owner.container_name)},
          {"method", exchange.request ? valid_utf8(exchange.request->method()) : ""},
          {"host", valid_utf8(exchange.host)},
          {"path", valid_utf8(exchange.target)},
          {"status", exchange.status},
          {"upstream_status", exchange.upstream_status},
          {"end", flow::to_string(exchange.end)},
          {"error", valid_utf8(exchange.error)},
          {"injected", exchange.injected()},
          {"rules", rules_json(exchange.applied)},
          {"request_bytes", exchange.request_body},
          {"response_bytes", exchange.response_body},
          {"aws", call_json(exchange.call)}};
}

Json to_json_full(const flow::ExchangeFacts& exchange) {
  Json json = to_json(exchange);
  json["request"] = head_json(exchange.request);
  json["response"] = head_json(exchange.response);
  json["timing"] = {{"request_sent_ms", since(exchange.started, exchange.request_sent)},
                    {"response_started_ms", since(exchange.started, exchange.response_started)},
                    {"ended_ms", since(exchange.started, exchange.ended)}};
  json["rules_version"] = exchange.rules_version;
  json["connection"] = to_json(*exchange.flow);
  return json;
}

Json to_json(const Invocation& invocation, const RetryMode& mode, Time now) {
  Json attempts = Json::array();
  for (const Attempt& attempt : invocation.attempts) attempts.push_back(attempt_json(attempt));
  const aws::Call& call = invocation.call;
  return {{"id", invocation.id},
          {"invocation_id", text_or_null(invocation.invocation_id)},
          {"inferred", invocation.inferred},
          {"service", valid_utf8(call.service)},
          {"operation", valid_utf8(call.operation)},
          {"region", valid_utf8(call.region)},
          {"bucket", valid_utf8(call.bucket)},
          {"host", valid_utf8(invocation.host)},
          {"method", valid_utf8(invocation.method)},
          {"path", valid_utf8(invocation.path)},
          {"target", valid_utf8(invocation.target)},
          {"container", text_or_null(invocation.container)},
          {"process", {{"pid", invocation.pid}, {"comm", valid_utf8(invocation.comm)}}},
          {"sdk", valid_utf8(call.sdk)},
          {"sdk_version", valid_utf8(call.sdk_version)},
          {"retry_mode", mode.name},
          {"retry_mode_from", mode.from},
          {"max_attempts", call.max_attempts},
          {"outcome", to_string(invocation.outcome(now))},
          {"time", to_iso8601(invocation.attempts.front().started.wall_ns)},
          {"retries", invocation.retries()},
          {"lost_ms", milliseconds(invocation.lost_ns())},
          {"waiting_ms", milliseconds(invocation.waiting_ns())},
          {"injected_failures", failures(invocation, true)},
          {"organic_failures", failures(invocation, false)},
          {"attempts", std::move(attempts)}};
}

Json retries_json(const std::vector<Invocation>& invocations, Time now) {
  RetryModes modes(invocations);
  Json rows = Json::array(), sentences = Json::array(), calls = Json::array();
  for (const SummaryRow& row : summarize(invocations, now)) rows.push_back(row_json(row));
  for (const std::string& sentence : findings(invocations, now)) sentences.push_back(valid_utf8(sentence));
  for (const Invocation& invocation : invocations) calls.push_back(to_json(invocation, modes.of(invocation), now));
  return {{"summary", std::move(rows)}, {"findings", std::move(sentences)}, {"invocations", std::move(calls)}};
}

}  // namespace waylay::record
