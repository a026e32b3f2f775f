#include "flow/subject.h"

#include <charconv>
#include <ctime>

#include "base/bytes.h"

namespace waylay::flow {
namespace {

using match::Field;
using match::Value;

Value text(std::string_view value) {
  return value.empty() ? Value{} : Value{value};
}
Value number(int64_t value) {
  return Value{value};
}
Value number_unless_zero(int64_t value) {
  return value == 0 ? Value{} : Value{value};
}

Value field_value(const http::Head& head, std::string_view name) {
  std::optional<std::string_view> value = head.first(name);
  return value ? Value{*value} : Value{};
}

Value content_length(const http::Head& head) {
  std::optional<std::string_view> value = head.first("content-length");
  if (!value) return {};
  int64_t octets = 0;
  auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), octets);
  return error == std::errc{} && end == value->data() + value->size() ? number(octets) : Value{};
}

Value text_of(const body::Content* content) {
  return content ? Value{content->text()} : Value{};
}

Value close_code(const Conversation& conversation) {
  const Spoken& client = conversation.from_client;
  std::optional<uint16_t> code = client.close_code ? client.close_code : conversation.from_upstream.close_code;
  return code ? number(*code) : Value{};
}

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

}  // namespace

Value Subject::value(Field field, std::string_view key) const {
  if (field <= Field::TlsJa4) return of_flow(field);
  if (field >= Field::ContainerName && field <= Field::FlowOutcome) return of_flow(field);
  if (!exchange_) return {};
  if (field >= Field::AwsService && field <= Field::AwsRetryMode) return of_call(field);
  if (field >= Field::TimeDate && field <= Field::TimeWeekday) return of_time(field);
  if (field == Field::BodyText) return text_of(request_body_);
  if (field == Field::ResponseBodyText) return text_of(response_body_);
  if (field >= Field::HttpHost && field <= Field::HttpHeader) return of_request(field, key);
  if (field >= Field::HttpResponseCode && field <= Field::HttpResponseHeader) return of_response(field, key);
  return of_exchange(field);
}

Value Subject::json(Field field, const match::JsonPath& path) const {
  const body::Content* content = field == Field::BodyJson ? request_body_ : response_body_;
  return content ? content->at(path) : Value{};
}

void Subject::values(Field field, std::string_view key, match::ValueVisitor& visitor) const {
  if (field == Field::IpAddress || field == Field::TcpPort) {
    bool address = field == Field::IpAddress;
    if (visitor.visit(of_flow(address ? Field::IpSource : Field::TcpSourcePort)))
      visitor.visit(of_flow(address ? Field::IpDestination : Field::TcpDestinationPort));
    return;
  }
  if (field == Field::TlsAlpn) {
    for (const std::string& protocol : flow_.alpn_offered)
      if (!visitor.visit(std::string_view(protocol))) return;
    return;
  }
  if (field == Field::ExchangeRule) {
    if (!exchange_) return;
    for (const AppliedRule& rule : exchange_->applied)
      if (!visitor.visit(std::string_view(rule.rule))) return;
    return;
  }
  const http::Head* head = field == Field::HttpResponseHeader ? response_ : request_;
  std::string_view name = field == Field::HttpCookie ? "cookie" : key;
  if (!head || name.empty()) return;
  for (size_t i = 0; i < head->field_count(); ++i) {
    http::HeaderField line = head->field(i);
    if (equals_ignoring_case(line.name, name) && !visitor.visit(line.value)) return;
  }
}

Value Subject::of_flow(Field field) const {
  switch (field) {
    case Field::IpSource:
    case Field::IpAddress:
      return flow_.client;
    case Field::IpDestination:
      return flow_.destination;
    case Field::TcpSourcePort:
    case Field::TcpPort:
      return number(flow_.client.port);
    case Field::TcpDestinationPort:
      return number(flow_.destination.port);
    case Field::TlsServerName:
      return text(flow_.server_name);
    case Field::TlsAlpn:
      return flow_.alpn_offered.empty() ? Value{} : text(flow_.alpn_offered.front());
    case Field::TlsVersion:
      return number_unless_zero(flow_.tls_version_offered);
    case Field::TlsJa4:
      return text(flow_.ja4);
    case Field::ContainerName:
      return text(flow_.owner.container_name);
    case Field::ContainerId:
      return text(flow_.owner.container_id);
    case Field::ContainerImage:
      return text(flow_.owner.container_image);
    case Field::ProcPid:
      return number_unless_zero(flow_.owner.pid);
    case Field::ProcName:
      return text(flow_.owner.comm);
    case Field::ProcExe:
      return text(flow_.owner.exe);
    case Field::ProcUid:
      return flow_.owner.pid == 0 ? Value{} : number(flow_.owner.uid);
    case Field::CgroupPath:
      return text(flow_.owner.cgroup);
    case Field::FlowId:
      return number(static_cast<int64_t>(flow_.id));
    case Field::FlowTarget:
      return text(flow_.target_name);
    case Field::FlowOutcome:
      return text(to_string(flow_.outcome));
    default:
      return {};
  }
}

Value Subject::of_exchange(Field field) const {
  switch (field) {
    case Field::HttpTime:
      return exchange_->ended.steady_ns == 0 ? Value{}
                                             : number(exchange_->ended.steady_ns - exchange_->started.steady_ns);
    case Field::ExchangeId:
      return number(static_cast<int64_t>(exchange_->id));
    case Field::ExchangeInjected:
      return exchange_->injected();
    case Field::ExchangeRule:
      return exchange_->applied.empty() ? Value{} : text(exchange_->applied.front().rule);
    case Field::WebSocket:
      return exchange_->conversation && exchange_->conversation->protocol == "websocket";
    case Field::WebSocketCloseCode:
      return exchange_->conversation ? close_code(*exchange_->conversation) : Value{};
    default:
      return {};
  }
}

Value Subject::of_call(Field field) const {
  const aws::Call& call = exchange_->call;
  switch (field) {
    case Field::AwsService:
      return text(call.service);
    case Field::AwsOperation:
      return text(call.operation);
    case Field::AwsRegion:
      return text(call.region);
    case Field::AwsBucket:
      return text(call.bucket);
    case Field::AwsTable:
      return text(call.table);
    case Field::AwsKey:
      return text(call.key);
    case Field::AwsAttempt:
      return number_unless_zero(call.attempt);
    case Field::AwsMaxAttempts:
      return number_unless_zero(call.max_attempts);
    case Field::AwsInvocationId:
      return text(call.invocation_id);
    case Field::AwsSdk:
      return text(call.sdk);
    case Field::AwsSdkVersion:
      return text(call.sdk_version);
    case Field::AwsRetryMode:
      return text(call.retry_mode);
    default:
      return {};
  }
}

Value Subject::of_request(Field field, std::string_view key) const {
  if (field == Field::HttpHost) return text(exchange_->host);
  if (!request_) return {};
  std::string_view target = request_->target();
  switch (field) {
    case Field::HttpRequestMethod:
      return text(request_->method());
    case Field::HttpRequestUri:
      return text(target);
    case Field::HttpRequestFullUri:
      made_ = target.starts_with('/') ? "https://" + exchange_->host + std::string(target) : std::string(target);
      return text(made_);
    case Field::HttpRequestUriPath:
      return text(path_of(target));
    case Field::HttpRequestUriQuery: {
      size_t question = target.find('?');
      return question == std::string_view::npos ? Value{} : Value{target.substr(question + 1)};
    }
    case Field::HttpRequestVersion:
      return request_->version();
    case Field::HttpUserAgent:
      return field_value(*request_, "user-agent");
    case Field::HttpReferer:
      return field_value(*request_, "referer");
    case Field::HttpContentType:
      return field_value(*request_, "content-type");
    case Field::HttpContentLength:
      return content_length(*request_);
    case Field::HttpCookie:
      return field_value(*request_, "cookie");
    case Field::HttpHeader:
      return field_value(*request_, key);
    default:
      return {};
  }
}

Value Subject::of_response(Field field, std::string_view key) const {
  if (!response_) return {};
  switch (field) {
    case Field::HttpResponseCode:
      return number(response_->status());
    case Field::HttpResponsePhrase:
      return text(response_->reason());
    case Field::HttpResponseContentType:
      return field_value(*response_, "content-type");
    case Field::HttpResponseContentLength:
      return content_length(*response_);
    case Field::HttpResponseLocation:
      return field_value(*response_, "location");
    case Field::HttpResponseServer:
      return field_value(*response_, "server");
    case Field::HttpResponseHeader:
      return field_value(*response_, key);
    default:
      return {};
  }
}

// In UTC: whoever wrote the rule and whoever runs the daemon may be in different zones.
Value Subject::of_time(Field field) const {
  time_t seconds = exchange_->started.wall_ns / kSecond_ns;
  tm parts{};
  gmtime_r(&seconds, &parts);
  switch (field) {
    case Field::TimeHour:
      return number(parts.tm_hour);
    case Field::TimeMinute:
      return number(parts.tm_min);
    case Field::TimeWeekday:
      return number(parts.tm_wday == 0 ? 7 : parts.tm_wday);
    default:
      break;
  }
  char written[16];  // fits into a std::string without allocation
  made_.assign(written, strftime(written, sizeof written, field == Field::TimeDate ? "%Y-%m-%d" : "%H:%M:%S", &parts));
  return text(made_);
}

}  // namespace waylay::flow
