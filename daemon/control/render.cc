#include "control/render.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/clock.h"
#include "control/render_conversation.h"
#include "control/render_values.h"

namespace waylay::control {
namespace {

double milliseconds(int64_t ns) {
  int64_t microseconds = ns / 1000;
  return static_cast<double>(microseconds) / 1000.0;
}

Json container_of(const std::string& id, const std::string& name, const std::string& image) {
  if (id.empty() && name.empty()) return nullptr;
  return {{"id", id}, {"name", name}, {"image", image}};
}

Json process_of(const flow::Owner& owner) {
  if (owner.pid == 0) return nullptr;
  return {{"pid", owner.pid}, {"name", owner.comm}, {"exe", text_or_null(owner.exe)},
          {"uid", owner.uid}, {"gid", owner.gid},   {"cgroup", text_or_null(owner.cgroup)}};
}

Json tls_of(const flow::TlsFacts& tls) {
  if (tls.version.empty()) return nullptr;
  return {{"version", tls.version}, {"cipher", tls.cipher}, {"alpn", text_or_null(tls.alpn)}, {"resumed", tls.resumed}};
}

Json records_of(const tls::RecordLengths& records) {
  if (!records.is_tls()) return nullptr;
  Json classes = Json::array();
  for (size_t i = 0; i < records.kBounds.size(); ++i)
    classes.push_back({{"up_to", records.kBounds[i]}, {"count", records.classes()[i]}});
  return {{"count", records.count()}, {"first", records.first()}, {"lengths", std::move(classes)}};
}

Json traffic_of(const flow::FlowFacts& facts, const flow::Traffic& traffic, uint64_t bytes) {
  bool any = traffic.first.steady_ns != 0;
  return {{"bytes", bytes},
          {"first_ms", any ? duration_or_null(facts.opened, traffic.first) : Json(nullptr)},
          {"last_ms", any ? duration_or_null(facts.opened, traffic.last) : Json(nullptr)},
          {"records", records_of(traffic.records)}};
}

Json tcp_of(const std::optional<TcpFacts>& tcp) {
  if (!tcp) return nullptr;
  return {{"rtt_us", tcp->rtt_us},
          {"rtt_variance_us", tcp->rtt_variance_us},
          {"retransmits", tcp->retransmits},
          {"congestion_window", tcp->congestion_window},
          {"maximum_segment", tcp->maximum_segment},
          {"delivery_rate", tcp->delivery_rate}};
}

Json fields_of(const http::Head& head) {
  Json fields = Json::array();
  for (size_t i = 0; i < head.field_count(); ++i) {
    http::HeaderField field = head.field(i);
    fields.push_back({field.name, field.value});
  }
  return fields;
}

Json request_of(const flow::ExchangeFacts& facts) {
  if (!facts.request) return nullptr;
  return {{"version", facts.request->version()},
          {"headers", fields_of(*facts.request)},
          {"body_bytes", facts.request_body}};
}

Json response_of(const flow::ExchangeFacts& facts) {
  if (!facts.response) return nullptr;
  return {{"version", facts.response->version()},
          {"reason", facts.response->reason()},
          {"headers", fields_of(*facts.response)},
          {"body_bytes", facts.response_body}};
}

Json aws_of(const aws::Call& call) {
  if (!call.known()) return nullptr;
  Json json = {
      {"service", call.service}, {"operation", text_or_null(call.operation)}, {"region", text_or_null(call.region)}};
  for (const auto& [name, value] : {std::pair{"bucket", &call.bucket},
                                    {"key", &call.key},
                                    {"table", &call.table},
                                    {"invocation_id", &call.invocation_id},
                                    {"sdk", &call.sdk},
                                    {"sdk_version", &call.sdk_version},
                                    {"retry_mode", &call.retry_mode}})
    json[name] = text_or_null(*value);
  json["attempt"] = call.attempt == 0 ? Json(nullptr) : Json(call.attempt);
  json["max_attempts"] = call.max_attempts == 0 ? Json(nullptr) : Json(call.max_attempts);
  return json;
}

Json rules_of(const std::vector<flow::AppliedRule>& applied) {
  Json rules = Json::array();
  for (const flow::AppliedRule& rule : applied)
    rules.push_back({{"name", rule.rule}, {"what", rule.what}, {"injected", rule.injected}});
  return rules;
}

Json status_or_null(int status) {
  return status == 0 ? Json(nullptr) : Json(status);
}

Json counts(const std::vector<Count>& counts) {
  Json json = Json::object();
  for (const Count& count : counts) json[count.name] = count.value;
  return json;
}

Json to_json(const TargetStatus& target) {
  return {{"id", target.id},
          {"name", target.name},
          {"attached", target.attached},
          {"attached_at", time_or_null(target.attached_ns)},
          {"ended", text_or_null(target.ended)},
          {"ended_at", time_or_null(target.ended_ns)},
          {"container", container_of(target.container_id, target.container_name, target.container_image)},
          {"ports", target.ports},
          {"insist", target.insist},
          {"trust", text_or_null(target.trust)},
          {"kernel", counts(target.kernel)},
          {"connections", counts(target.connections)},
          {"reasons", counts(target.reasons)}};
}

// The number behind the first `word` in an error message, 0 when there is none.
int number_behind(std::string_view message, std::string_view word) {
  size_t at = message.find(word);
  if (at == std::string_view::npos) return 0;
  std::string_view digits = message.substr(at + word.size());
  int number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace

Json time_or_null(int64_t wall_ns) {
  return wall_ns == 0 ? Json(nullptr) : Json(to_iso8601(wall_ns));
}

Json duration_or_null(Time from, Time to) {
  if (from.steady_ns == 0 || to.steady_ns == 0) return nullptr;
  return milliseconds(to.steady_ns - from.steady_ns);
}

Json text_or_null(std::string_view text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

void add_connection(Json& json, const flow::FlowFacts& facts) {
  json["target"] = text_or_null(facts.target_name);
  json["container"] = container_of(facts.owner.container_id, facts.owner.container_name, facts.owner.container_image);
  json["process"] = process_of(facts.owner);
  json["client"] = facts.client.to_string();
  json["destination"] = facts.destination.to_string();
  json["server_name"] = text_or_null(facts.server_name);
}

bool is_undecrypted(const flow::FlowFacts& facts) {
  using flow::Outcome;
  if (facts.outcome == Outcome::Failed) return facts.exchanges == 0;
  return facts.outcome == Outcome::PassedThrough || facts.outcome == Outcome::Bypassed;
}

std::string to_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json to_json(const flow::FlowFacts& facts) {
  Json json = {{"type", "flow"}, {"id", facts.id}, {"time", time_or_null(facts.opened.wall_ns)}};
  add_connection(json, facts);
  json["ja4"] = text_or_null(facts.ja4);
  json["ech_offered"] = facts.ech_offered;
  json["tls"] = {{"client", tls_of(facts.client_tls)},
                 {"upstream", tls_of(facts.upstream_tls)},
                 {"failure", text_or_null(tls::to_string(facts.tls_failure))},
                 {"client_certificate", facts.client_certificate}};
  json["outcome"] = flow::to_string(facts.outcome);
  json["reason"] = text_or_null(facts.reason);
  json["rules"] = rules_of(facts.applied);
  json["bytes_from_client"] = facts.bytes_from_client;
  json["bytes_from_upstream"] = facts.bytes_from_upstream;
  json["traffic"] = {{"from_client", traffic_of(facts, facts.from_client, facts.bytes_from_client)},
                     {"from_upstream", traffic_of(facts, facts.from_upstream, facts.bytes_from_upstream)}};
  json["tcp"] = {{"client", tcp_of(facts.client_tcp)}, {"upstream", tcp_of(facts.upstream_tcp)}};
  json["exchanges"] = facts.exchanges;
  json["closed"] = time_or_null(facts.closed.wall_ns);
  json["duration_ms"] = duration_or_null(facts.opened, facts.closed);
  return json;
}

Json to_json(const flow::ExchangeFacts& facts) {
  Json json = {{"type", "exchange"}, {"id", facts.id}, {"time", time_or_null(facts.started.wall_ns)}};
  json["flow"] = facts.flow ? Json(facts.flow->id) : Json(nullptr);
  if (facts.flow) add_connection(json, *facts.flow);
  json["method"] = facts.request ? Json(facts.request->method()) : Json(nullptr);
  json["host"] = text_or_null(facts.host);
  json["path"] = text_or_null(facts.target);
  json["status"] = status_or_null(facts.status);
  json["upstream_status"] = status_or_null(facts.upstream_status);
  json["duration_ms"] = duration_or_null(facts.started, facts.ended);
  json["first_byte_ms"] = duration_or_null(facts.started, facts.response_started);
  json["end"] = flow::to_string(facts.end);
  json["error"] = text_or_null(facts.error);
  json["injected"] = facts.injected();
  json["rules"] = rules_of(facts.applied);
  json["notes"] = facts.notes;
  json["rules_version"] = facts.rules_version;
  json["aws"] = aws_of(facts.call);
  json["request"] = request_of(facts);
  json["response"] = response_of(facts);
  json["conversation"] = conversation_to_json(facts);
  return json;
}

Json to_json(const Status& status) {
  Json targets = Json::array();
  for (const TargetStatus& target : status.targets) targets.push_back(to_json(target));
  return {{"version", WAYLAY_VERSION},
          {"started", time_or_null(status.started_ns)},
          {"workers", status.workers},
          {"listen", text_or_null(status.listen)},
          {"rules", {{"count", status.rules}, {"version", status.rules_version}, {"faults", status.faults}}},
          {"store",
           {{"exchanges", status.exchanges_kept}, {"dropped", status.exchanges_dropped}, {"bytes", status.bytes_kept}}},
          {"learned_refusals", status.learned_refusals},
          {"notices", status.notices},
          {"targets", std::move(targets)}};
}

// What stands in brackets behind the field's name.
Json key_of(match::Key key) {
  switch (key) {
    case match::Key::None:
      return nullptr;
    case match::Key::HeaderName:
      return "name";
    case match::Key::JsonPath:
      return "$.path";
  }
  CHECK(!"a kind of key");
}

Json fields_to_json() {
  Json fields = Json::array();
  for (const match::FieldInfo& info : match::all_fields()) {
    Json aliases = Json::array();
    for (std::string_view alias : info.aliases)
      if (!alias.empty()) aliases.push_back(alias);
    fields.push_back({{"name", info.name},
                      {"aliases", std::move(aliases)},
                      {"type", match::to_string(info.type)},
                      {"known_at", match::to_string(info.moment)},
                      {"key", key_of(info.key)},
                      {"documentation", info.documentation}});
  }
  return fields;
}

Json to_json(const Error& error) {
  Json inner = {{"kind", to_string(error.kind)}, {"message", error.message}};
  int line = number_behind(error.message, "line "), column = number_behind(error.message, "column ");
  if (line > 0 && column > 0) {
    inner["line"] = line;
    inner["column"] = column;
  }
  return {{"error", std::move(inner)}};
}

}  // namespace waylay::control
