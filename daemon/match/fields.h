// The fields of the expression language: every name that a rule, a live view, an export or a capture may ask for, with
// its type and the moment from which it is known. Names are Wireshark's display filter names wherever one exists; where
// the meaning differs, the documentation sentence says so. `waylay fields` prints this table.
//
// A field that has no value in some exchange (no such header, no container) is absent, from its moment on for good.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace waylay::match {

// How literals of a field are written: true; 443 or 0x1bb; "text"; 10.0.0.0/8 or ::1; 250ms; 10KiB (or a plain number
// of bytes); of a JSON value true, 443, -1.5, 10KiB or "text", whichever it is compared with.
enum class Type : uint8_t { Boolean, Integer, String, Address, Duration, Size, Json };

// When a field becomes known, in the order of an exchange's life: the connection was accepted; the ClientHello was
// read; the request's head is complete; its body is; the response's head is complete; its body is; the exchange is
// over. A body is collected only for those who ask for it.
enum class Moment : uint8_t { Connect, Hello, Request, RequestBody, Response, ResponseBody, End };

// What a field takes in brackets: http.header["x-amz-target"], body.json["$.Item.id.S"] (json_path.h).
enum class Key : uint8_t { None, HeaderName, JsonPath };

enum class Field : uint16_t {
  IpSource,
  IpDestination,
  IpAddress,
  TcpSourcePort,
  TcpDestinationPort,
  TcpPort,
  TlsServerName,
  TlsAlpn,
  TlsVersion,
  TlsJa4,
  HttpHost,
  HttpRequestMethod,
  HttpRequestUri,
  HttpRequestFullUri,
  HttpRequestUriPath,
  HttpRequestUriQuery,
  HttpRequestVersion,
  HttpUserAgent,
  HttpReferer,
  HttpContentType,
  HttpContentLength,
  HttpCookie,
  HttpHeader,
  BodyText,
  BodyJson,
  HttpResponseCode,
  HttpResponsePhrase,
  HttpResponseContentType,
  HttpResponseContentLength,
  HttpResponseLocation,
  HttpResponseServer,
  HttpResponseHeader,
  ResponseBodyText,
  ResponseBodyJson,
  HttpTime,
  TimeDate,
  TimeOfDay,
  TimeHour,
  TimeMinute,
  TimeWeekday,
  AwsService,
  AwsOperation,
  AwsRegion,
  AwsBucket,
  AwsTable,
  AwsKey,
  AwsAttempt,
  AwsMaxAttempts,
  AwsInvocationId,
  AwsSdk,
  AwsSdkVersion,
  AwsRetryMode,
  ContainerName,
  ContainerId,
  ContainerImage,
  ProcPid,
  ProcName,
  ProcExe,
  ProcUid,
  CgroupPath,
  FlowId,
  FlowTarget,
  FlowOutcome,
  ExchangeId,
  ExchangeInjected,
  ExchangeRule,
  WebSocket,
  WebSocketCloseCode,
};

struct FieldInfo {
  Field field;
  std::string_view name;
  std::array<std::string_view, 2> aliases;  // unused ones are empty
  Type type;
  Moment moment;
  std::string_view documentation;  // one sentence or two
  Key key = Key::None;
  bool repeated = false;     // one exchange may have several values: Subject::values() is asked
  bool ignore_case = false;  // compared without regard to ASCII case
};

// In the order of the enumeration, a line of facts and one of words each.
// clang-format off
inline constexpr auto kFields = std::to_array<FieldInfo>({
    {Field::IpSource, "ip.src", {"ipv6.src"}, Type::Address, Moment::Connect,
     "Address that the connection came from, IPv4 or IPv6."},
    {Field::IpDestination, "ip.dst", {"ipv6.dst"}, Type::Address, Moment::Connect,
     "Address that the process connected to (the original destination), IPv4 or IPv6."},
    {Field::IpAddress, "ip.addr", {"ipv6.addr"}, Type::Address, Moment::Connect,
     "Both of these addresses; any of them matches.", Key::None, true},
    {Field::TcpSourcePort, "tcp.srcport", {}, Type::Integer, Moment::Connect,
     "Port that the connection came from."},
    {Field::TcpDestinationPort, "tcp.dstport", {}, Type::Integer, Moment::Connect,
     "Port that the process connected to (the original destination)."},
    {Field::TcpPort, "tcp.port", {}, Type::Integer, Moment::Connect,
     "Both of these ports; any of them matches.", Key::None, true},
    {Field::TlsServerName, "tls.handshake.extensions_server_name", {"tls.sni"}, Type::String, Moment::Hello,
     "Server name in the ClientHello (SNI); case is ignored.", Key::None, false, true},
    {Field::TlsAlpn, "tls.handshake.extensions_alpn_str", {"tls.alpn"}, Type::String, Moment::Hello,
     "Protocols that the ClientHello offers (ALPN), such as \"h2\" and \"http/1.1\"; any of them matches.",
     Key::None, true},
    {Field::TlsVersion, "tls.handshake.version", {}, Type::Integer, Moment::Hello,
     "Highest TLS version that the ClientHello offers: 0x0303 is 1.2, 0x0304 is 1.3 (Wireshark shows the legacy "
     "number, which is 0x0303 for both)."},
    {Field::TlsJa4, "tls.handshake.ja4", {}, Type::String, Moment::Hello,
     "JA4 fingerprint of the ClientHello."},
    {Field::HttpHost, "http.host", {"http2.headers.authority"}, Type::String, Moment::Request,
     "Host of the request, without a port; case is ignored.", Key::None, false, true},
    {Field::HttpRequestMethod, "http.request.method", {"http2.headers.method"}, Type::String, Moment::Request,
     "Method of the request, such as \"GET\"."},
    {Field::HttpRequestUri, "http.request.uri", {"http2.headers.path"}, Type::String, Moment::Request,
     "Path and query of the request as sent."},
    {Field::HttpRequestFullUri, "http.request.full_uri", {"http2.request.full_uri"}, Type::String, Moment::Request,
     "The whole URI: scheme, host, path and query."},
    {Field::HttpRequestUriPath, "http.request.uri.path", {}, Type::String, Moment::Request,
     "Path of the request, without the query."},
    {Field::HttpRequestUriQuery, "http.request.uri.query", {}, Type::String, Moment::Request,
     "Query of the request, without the question mark; absent when there is none."},
    {Field::HttpRequestVersion, "http.request.version", {}, Type::String, Moment::Request,
     "Protocol version of the request: \"HTTP/1.1\", \"HTTP/2\"."},
    {Field::HttpUserAgent, "http.user_agent", {"http2.headers.user_agent"}, Type::String, Moment::Request,
     "User-Agent of the request."},
    {Field::HttpReferer, "http.referer", {"http2.headers.referer"}, Type::String, Moment::Request,
     "Referer of the request."},
    {Field::HttpContentType, "http.content_type", {"http2.headers.content_type"}, Type::String, Moment::Request,
     "Content-Type of the request (Wireshark asks each message; the response's is http.response.content_type)."},
    {Field::HttpContentLength, "http.content_length", {"http2.headers.content_length"}, Type::Size, Moment::Request,
     "Content-Length of the request (Wireshark asks each message; the response's is http.response.content_length); "
     "absent when there is none, as with chunked bodies."},
    {Field::HttpCookie, "http.cookie", {"http2.headers.cookie"}, Type::String, Moment::Request,
     "Cookie header of the request; where it is sent in several, any of them matches.", Key::None, true},
    {Field::HttpHeader, "http.header", {}, Type::String, Moment::Request,
     "Header of the request by name, in any case: http.header[\"x-amz-target\"]; where it is sent several times, "
     "any of them matches.", Key::HeaderName, true},
    {Field::BodyText, "body.text", {"http.file_data"}, Type::String, Moment::RequestBody,
     "Body of the request, its Content-Encoding decoded (Wireshark asks each message; the response's is "
     "response.body.text). Bodies are read for rules and not kept: absent in recorded exchanges, where there is none, "
     "and where it is too long or cannot be decoded."},
    {Field::BodyJson, "body.json", {}, Type::Json, Moment::RequestBody,
     "Value in that body by its path of members and indexes: body.json[\"$.Item.id.S\"], body.json[\"$.a[0]['b c']\"]. "
     "It is equal to a number, a string, true or false as the body has it; an object or an array is only there or "
     "not; null is absent.", Key::JsonPath},
    {Field::HttpResponseCode, "http.response.code", {"http2.headers.status"}, Type::Integer, Moment::Response,
     "Status code of the final response, such as 503; as the upstream sent it in a rule, as the client got it "
     "elsewhere."},
    {Field::HttpResponsePhrase, "http.response.phrase", {}, Type::String, Moment::Response,
     "Reason phrase of the response; absent in HTTP/2."},
    {Field::HttpResponseContentType, "http.response.content_type", {}, Type::String, Moment::Response,
     "Content-Type of the response."},
    {Field::HttpResponseContentLength, "http.response.content_length", {}, Type::Size, Moment::Response,
     "Content-Length of the response; absent when there is none, as with chunked bodies."},
    {Field::HttpResponseLocation, "http.location", {"http2.headers.location"}, Type::String, Moment::Response,
     "Location of the response."},
    {Field::HttpResponseServer, "http.server", {"http2.headers.server"}, Type::String, Moment::Response,
     "Server header of the response."},
    {Field::HttpResponseHeader, "http.response.header", {}, Type::String, Moment::Response,
     "Header of the response by name, in any case: http.response.header[\"retry-after\"]; where it is sent several "
     "times, any of them matches.", Key::HeaderName, true},
    {Field::ResponseBodyText, "response.body.text", {}, Type::String, Moment::ResponseBody,
     "Body of the response, its Content-Encoding decoded; absent where body.text would be."},
    {Field::ResponseBodyJson, "response.body.json", {}, Type::Json, Moment::ResponseBody,
     "Value in that body by its path, like body.json: response.body.json[\"$.error.code\"].", Key::JsonPath},
    {Field::HttpTime, "http.time", {}, Type::Duration, Moment::End,
     "Time from the request's first byte to the response's last."},
    {Field::TimeDate, "time.date", {}, Type::String, Moment::Request,
     "Date on which the exchange began, in UTC, such as \"2026-11-22\"; dates have the order of time."},
    {Field::TimeOfDay, "time.of_day", {}, Type::String, Moment::Request,
     "Time of that day at which it began, in UTC: time.of_day >= \"09:30\" and time.of_day < \"17:00:30\"."},
    {Field::TimeHour, "time.hour", {}, Type::Integer, Moment::Request,
     "Hour of that time in UTC, 0 to 23."},
    {Field::TimeMinute, "time.minute", {}, Type::Integer, Moment::Request,
     "Minute of that time, 0 to 59."},
    {Field::TimeWeekday, "time.weekday", {}, Type::Integer, Moment::Request,
     "Day of that week in UTC, from 1 for Monday to 7 for Sunday."},
    {Field::AwsService, "aws.service", {}, Type::String, Moment::Request,
     "AWS service, such as \"s3\" or \"dynamodb\"."},
    {Field::AwsOperation, "aws.operation", {}, Type::String, Moment::Request,
     "AWS operation as the API reference writes it, such as \"PutObject\"."},
    {Field::AwsRegion, "aws.region", {}, Type::String, Moment::Request,
     "AWS region, such as \"eu-west-1\"."},
    {Field::AwsBucket, "aws.bucket", {}, Type::String, Moment::Request,
     "S3 bucket, whether in the host or in the path."},
    {Field::AwsTable, "aws.table", {}, Type::String, Moment::Request,
     "DynamoDB table that the request names."},
    {Field::AwsKey, "aws.key", {}, Type::String, Moment::Request,
     "S3 object key, percent-decoded."},
    {Field::AwsAttempt, "aws.attempt", {}, Type::Integer, Moment::Request,
     "Number of this attempt within its invocation, the first is 1 (amz-sdk-request)."},
    {Field::AwsMaxAttempts, "aws.max_attempts", {}, Type::Integer, Moment::Request,
     "How many attempts the SDK will make at most (amz-sdk-request)."},
    {Field::AwsInvocationId, "aws.invocation_id", {}, Type::String, Moment::Request,
     "Identifier that all attempts of one SDK call share (amz-sdk-invocation-id)."},
    {Field::AwsSdk, "aws.sdk", {}, Type::String, Moment::Request,
     "SDK that made the call, such as \"Boto3\"."},
    {Field::AwsSdkVersion, "aws.sdk_version", {}, Type::String, Moment::Request,
     "Version of that SDK."},
    {Field::AwsRetryMode, "aws.retry_mode", {}, Type::String, Moment::Request,
     "Retry mode that the SDK reports: \"legacy\", \"standard\" or \"adaptive\"."},
    {Field::ContainerName, "container.name", {}, Type::String, Moment::Connect,
     "Name of the container that connected; absent for other processes."},
    {Field::ContainerId, "container.id", {}, Type::String, Moment::Connect,
     "Full identifier of that container."},
    {Field::ContainerImage, "container.image", {}, Type::String, Moment::Connect,
     "Image that the container was made from."},
    {Field::ProcPid, "proc.pid", {}, Type::Integer, Moment::Connect,
     "Process that connected, numbered as the host sees it."},
    {Field::ProcName, "proc.name", {}, Type::String, Moment::Connect,
     "Name of that process (comm, at most 15 bytes)."},
    {Field::ProcExe, "proc.exe", {}, Type::String, Moment::Connect,
     "Path of its executable, inside its own root."},
    {Field::ProcUid, "proc.uid", {}, Type::Integer, Moment::Connect,
     "User that it runs as, numbered as the host sees it."},
    {Field::CgroupPath, "cgroup.path", {}, Type::String, Moment::Connect,
     "Its cgroup, below the cgroup2 mount."},
    {Field::FlowId, "flow.id", {"tcp.stream"}, Type::Integer, Moment::Connect,
     "Number of the flow."},
    {Field::FlowTarget, "flow.target", {}, Type::String, Moment::Connect,
     "Target that the flow belongs to, as it was attached: \"docker:web\"."},
    {Field::FlowOutcome, "flow.outcome", {}, Type::String, Moment::End,
     "What became of the flow, as `waylay flows` shows it."},
    {Field::ExchangeId, "exchange.id", {}, Type::Integer, Moment::Request,
     "Number of the exchange."},
    {Field::ExchangeInjected, "exchange.injected", {}, Type::Boolean, Moment::End,
     "Whether a rule changed this exchange; false for what is organic."},
    {Field::ExchangeRule, "exchange.rule", {}, Type::String, Moment::End,
     "Names of the rules that were applied; any of them matches.", Key::None, true},
    {Field::WebSocket, "websocket", {}, Type::Boolean, Moment::End,
     "Whether the exchange became a WebSocket."},
    {Field::WebSocketCloseCode, "websocket.payload.close.status_code", {}, Type::Integer, Moment::End,
     "Code in a WebSocket's close frame, 1005 if it had none; the client's where both sides sent one."},
});
// clang-format on

constexpr std::span<const FieldInfo> all_fields() {
  return kFields;
}
constexpr const FieldInfo& info(Field field) {
  return kFields[static_cast<size_t>(field)];
}

std::string_view to_string(Type type);      // "boolean", "integer", "string", "address", "duration", "size", "json"
std::string_view to_string(Moment moment);  // "connect", "hello", "request", "request body", ...

// By name or alias; nullptr when there is none.
const FieldInfo* find_field(std::string_view name);

// Every name and alias, in the order of the table.
std::vector<std::string_view> field_names();

}  // namespace waylay::match
