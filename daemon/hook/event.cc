#include "hook/event.h"

#include <nlohmann/json.hpp>

#include "aws/uri.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/utf8.h"

namespace waylay::hook {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Of a name that is there several times the last value, and all of them.
void add_fields(Json& out, const http::Head& head) {
  Json single = Json::object(), multiple = Json::object();
  for (size_t i = 0; i < head.field_count(); ++i) {
    http::HeaderField field = head.field(i);
    std::string name(field.name);
    single[name] = field.value;
    multiple[name].push_back(field.value);
  }
  out["headers"] = std::move(single);
  out["multiValueHeaders"] = std::move(multiple);
}

void add_body(Json& out, std::string_view body) {
  bool text = is_utf8(body);
  out["body"] = body.empty() ? Json(nullptr) : Json(text ? std::string(body) : encode_base64(body));
  out["isBase64Encoded"] = !text;
}

// "+" is a blank here, as API Gateway reads it.
std::string decode(std::string_view text) {
  std::string plain(text);
  for (char& c : plain)
    if (c == '+') c = ' ';
  return aws::percent_decode(plain);
}

void add_query(Json& out, std::string_view query) {
  Json single(nullptr), multiple(nullptr);
  while (!query.empty()) {
    std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    size_t equals = pair.find('=');
    std::string name = decode(pair.substr(0, equals));
    std::string value = equals == std::string_view::npos ? "" : decode(pair.substr(equals + 1));
    single[name] = value;
    multiple[name].push_back(std::move(value));
  }
  out["queryStringParameters"] = std::move(single);
  out["multiValueQueryStringParameters"] = std::move(multiple);
}

// "22/Nov/2026:08:07:08 +0000", the log format that API Gateway uses.
std::string log_time(int64_t wall_ns) {
  time_t seconds = static_cast<time_t>(wall_ns / kSecond_ns);
  tm parts{};
  gmtime_r(&seconds, &parts);
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char text[64];
  snprintf(text, sizeof text, "%02d/%s/%04d:%02d:%02d:%02d +0000", parts.tm_mday, kMonths[parts.tm_mon],
           parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return text;
}

Json context_of(const Origin& origin, const http::Head& request, const std::string& path) {
  Json context;
  context["accountId"] = "waylay";
  context["apiId"] = "waylay";
  context["stage"] = "waylay";
  context["resourceId"] = "waylay";
  context["resourcePath"] = path;
  context["path"] = path;
  context["httpMethod"] = request.method();
  context["protocol"] = origin.protocol;
  context["domainName"] = origin.host;
  context["requestId"] = std::to_string(origin.exchange);
  context["requestTime"] = log_time(origin.wall_ns);
  context["requestTimeEpoch"] = origin.wall_ns / kMillisecond_ns;
  context["identity"] = {{"sourceIp", origin.source_ip}, {"userAgent", request.first("user-agent").value_or("")}};
  context["container"] = nullptr;
  if (!origin.container_id.empty() || !origin.container_name.empty())
    context["container"] = {
        {"id", origin.container_id}, {"name", origin.container_name}, {"image", origin.container_image}};
  context["process"] = nullptr;
  if (origin.pid != 0) context["process"] = {{"pid", origin.pid}, {"name", origin.process}, {"exe", origin.executable}};
  return context;
}

}  // namespace

std::string make_event(const Origin& origin, const Message& request, const Message* response) {
  std::string_view target = request.head.target();
  size_t mark = target.find('?');
  std::string path = aws::percent_decode(target.substr(0, mark));
  Json event;
  event["resource"] = path;
  event["path"] = path;
  event["httpMethod"] = request.head.method();
  add_fields(event, request.head);
  add_query(event, mark == std::string_view::npos ? "" : target.substr(mark + 1));
  event["pathParameters"] = nullptr;
  event["stageVariables"] = nullptr;
  event["requestContext"] = context_of(origin, request.head, path);
  add_body(event, request.body);
  if (response) {
    Json answer;
    answer["statusCode"] = response->head.status();
    add_fields(answer, response->head);
    add_body(answer, response->body);
    event["response"] = std::move(answer);
  }
  return dump(event);
}

}  // namespace waylay::hook
