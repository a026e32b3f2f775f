#include "aws/fault.h"

#include <zlib.h>

#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>

#include "aws/error_code.h"
#include "aws/profile.h"
#include "aws/service.h"
#include "base/bytes.h"
#include "base/check.h"

namespace waylay::aws {
namespace {

// What is being answered: which error of which service, in whose words.
struct Refusal {
  const ErrorCode& error;
  const Call& call;
  const Service* service;  // nullptr: no row of its own
  Protocol protocol;
  bool query_mode;  // the client also wants the code that the query protocol has for it
  uint64_t id;

  std::string_view query_code() const { return error.query_code.empty() ? error.code : error.query_code; }
};

constexpr std::string_view kPrefix = "aws:";

Protocol protocol_of(const Call& call, const Service* service) {
  if (call.protocol != Protocol::Unknown) return call.protocol;
  if (!call.known()) return Protocol::RestXml;
  return service ? service->protocol : Protocol::RestJson;
}

// The error code that a fault's name, a profile's or a code's, stands for.
std::string_view code_of(std::string_view name, const Service* service, Protocol protocol) {
  name.remove_prefix(kPrefix.size());
  const Profile* profile = find_profile(name);
  return profile ? code_of(*profile, service, protocol) : name;
}

// SplitMix64 (Steele, Lea and Flood, 2014): spreads a counter over all 64 bits.
uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

std::string random_text(uint64_t id, size_t size, std::string_view alphabet) {
  std::string text;
  for (uint64_t state = id; text.size() < size;) {
    state = mix(state + 1);
    text += alphabet[state % alphabet.size()];
  }
  return text;
}

constexpr std::string_view kUpperBase36 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string uuid(uint64_t id) {
  char text[40];
  uint64_t high = mix(id), low = mix(id + 1);
  std::snprintf(text, sizeof text, "%08x-%04x-4%03x-%04x-%012llx", static_cast<unsigned>(high >> 32),
                static_cast<unsigned>(high >> 16 & 0xffff), static_cast<unsigned>(high & 0xfff),
                static_cast<unsigned>(0x8000 | (low >> 48 & 0x3fff)),
                static_cast<unsigned long long>(low & 0xffffffffffff));
  return text;
}

std::string http_date(int64_t wall_ns) {  // RFC 9110 section 5.6.7
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  time_t seconds = wall_ns / kSecond_ns;
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[parts.tm_wday], parts.tm_mday,
                kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return text;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (static_cast<unsigned char>(c) < 0x20 && c != '\t')
      out += ' ';  // XML 1.0 has no way to say it
    else
      out += c;
  }
  return out;
}

std::string element(std::string_view name, std::string_view text) {
  std::string out;
  out.append("<").append(name).append(">").append(escaped(text)).append("</").append(name).append(">");
  return out;
}

constexpr std::string_view kXml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

// The reason that S3 sends for these codes is not the status code's usual one.
std::string s3_reason(const ErrorCode& error) {
  if (error.code == "SlowDown") return "Slow Down";
  return std::string(http::default_reason(error.status));
}

Answer s3_answer(const Refusal& refusal) {
  const ErrorCode& error = refusal.error;
  std::string request_id = random_text(refusal.id, 16, kUpperBase36);
  std::string host_id = random_text(refusal.id + 1, 75, kBase64) + "=";
  std::string body = std::string(kXml) + "<Error>" + element("Code", error.code) + element("Message", error.message);
  if (error.code == "NoSuchBucket") body += element("BucketName", refusal.call.bucket);
  if (error.code == "NoSuchKey") body += element("Key", refusal.call.key);
  body += element("RequestId", request_id) + element("HostId", host_id) + "</Error>";
  return {error.status,
          s3_reason(error),
          {{"x-amz-request-id", request_id},
           {"x-amz-id-2", host_id},
           {"Content-Type", "application/xml"},
           {"Server", "AmazonS3"}},
          std::move(body)};
}

std::string_view blame(const ErrorCode& error) {
  return error.status >= 500 ? "Receiver" : "Sender";
}

// Query services, and the REST ones with XML that are not S3.
Answer xml_answer(const Refusal& refusal) {
  const ErrorCode& error = refusal.error;
  std::string request_id = uuid(refusal.id);
  std::string space;
  if (refusal.service && !refusal.service->xml_namespace.empty())
    space.append(" xmlns=\"").append(refusal.service->xml_namespace).append("\"");
  std::string_view code = refusal.protocol == Protocol::Query ? refusal.query_code() : error.code;
  std::string body = refusal.protocol == Protocol::RestXml ? std::string(kXml) : "";
  body += "<ErrorResponse" + space + ">\n  <Error>\n    " + element("Type", blame(error)) + "\n    " +
          element("Code", code) + "\n    " + element("Message", error.message) + "\n  </Error>\n  " +
          element("RequestId", request_id) + "\n</ErrorResponse>\n";
  return {error.status, "", {{"x-amzn-RequestId", request_id}, {"Content-Type", "text/xml"}}, std::move(body)};
}

Answer ec2_answer(const Refusal& refusal) {
  const ErrorCode& error = refusal.error;
  std::string request_id = uuid(refusal.id);
  std::string body = std::string(kXml) + "<Response><Errors><Error>" + element("Code", error.code) +
                     element("Message", error.message) + "</Error></Errors>" + element("RequestID", request_id) +
                     "</Response>";
  return {error.status,
          "",
          {{"x-amzn-requestid", request_id}, {"Content-Type", "text/xml;charset=UTF-8"}, {"Server", "AmazonEC2"}},
          std::move(body)};
}

// Exceptions of DynamoDB's front end belong to this namespace, whatever the operation.
constexpr std::string_view kCoral = "com.amazon.coral.availability";

std::string json_type(const Refusal& refusal) {
  std::string_view space = refusal.service ? refusal.service->json_namespace : std::string_view();
  if (space.empty()) return std::string(refusal.error.code);
  if (refusal.call.service == "dynamodb" && refusal.error.code == "ThrottlingException") space = kCoral;
  return std::string(space) + "#" + std::string(refusal.error.code);
}

bool is_dynamodb(const Call& call) {
  return call.service == "dynamodb" || call.service == "streams.dynamodb";
}

// Services that spoke the query protocol before tell its clients the code of then (Smithy's awsQueryCompatible).
void add_query_error(const Refusal& refusal, Answer& answer) {
  if (!refusal.query_mode) return;
  std::string value(refusal.query_code());
  answer.fields.emplace_back("x-amzn-query-error", value.append(";").append(blame(refusal.error)));
}

Answer json_answer(const Refusal& refusal) {
  const ErrorCode& error = refusal.error;
  nlohmann::ordered_json document = {{"__type", json_type(refusal)}, {"message", error.message}};
  bool dynamodb = is_dynamodb(refusal.call);
  std::string request_id = dynamodb ? random_text(refusal.id, 52, kUpperBase36) : uuid(refusal.id);
  Answer answer{error.status, "", {{"x-amzn-RequestId", request_id}}, document.dump()};
  answer.fields.emplace_back("Content-Type", refusal.protocol == Protocol::Json10 ? "application/x-amz-json-1.0"
                                                                                  : "application/x-amz-json-1.1");
  if (dynamodb) {  // SDKs check it
    answer.fields.emplace_back("Server", "Server");
    const auto* bytes = as_u8(as_bytes(answer.body));
    answer.fields.emplace_back("x-amz-crc32", std::to_string(crc32(0, bytes, static_cast<uInt>(answer.body.size()))));
  }
  add_query_error(refusal, answer);
  return answer;
}

Answer rest_json_answer(const Refusal& refusal) {
  const ErrorCode& error = refusal.error;
  nlohmann::ordered_json document;
  if (refusal.call.service == "lambda") document["Type"] = error.status >= 500 ? "Service" : "User";
  if (refusal.call.service == "lambda" && error.code == "TooManyRequestsException")
    document["Reason"] = "ReservedFunctionConcurrentInvocationLimitExceeded";
  document["message"] = error.message;
  return {error.status,
          "",
          {{"x-amzn-RequestId", uuid(refusal.id)},
           {"x-amzn-ErrorType", std::string(error.code)},
           {"Content-Type", "application/json"}},
          document.dump()};
}

Answer cbor_answer(const Refusal& refusal) {
  nlohmann::json document = {{"__type", json_type(refusal)}, {"message", refusal.error.message}};
  std::vector<uint8_t> encoded = nlohmann::json::to_cbor(document);
  Answer answer{refusal.error.status,
                "",
                {{"x-amzn-RequestId", uuid(refusal.id)},
                 {"smithy-protocol", "rpc-v2-cbor"},
                 {"Content-Type", "application/cbor"}},
                std::string(encoded.begin(), encoded.end())};
  add_query_error(refusal, answer);
  return answer;
}

bool speaks_like_s3(const Call& call) {
  return !call.known() || call.service == "s3" || call.service == "s3-control";
}

Answer shaped(const Refusal& refusal) {
  switch (refusal.protocol) {
    case Protocol::RestXml:
      return speaks_like_s3(refusal.call) ? s3_answer(refusal) : xml_answer(refusal);
    case Protocol::Query:
      return xml_answer(refusal);
    case Protocol::Ec2:
      return ec2_answer(refusal);
    case Protocol::Json10:
    case Protocol::Json11:
      return json_answer(refusal);
    case Protocol::RpcV2Cbor:
      return cbor_answer(refusal);
    case Protocol::RestJson:
    case Protocol::Unknown:
      break;
  }
  return rest_json_answer(refusal);
}

std::string profile_names() {
  std::string names;
  for (const Profile& profile : profiles())
    names.append(names.empty() ? "" : ", ").append(kPrefix).append(profile.name);
  return names;
}

}  // namespace

Result<void> check_fault(std::string_view name) {
  if (!to_lower(name).starts_with(kPrefix))
    return fail(Error::local(ErrorKind::Invalid, "unknown fault \"" + std::string(name) + "\"; faults are " +
                                                     profile_names() + " and aws:CODE, such as aws:NoSuchKey"));
  std::string_view code = name.substr(kPrefix.size());
  if (find_profile(code) || find_error_code(code, {})) return {};
  return fail(Error::local(ErrorKind::Invalid,
                           "unknown AWS error code \"" + std::string(code) + "\"" + nearest_error_codes(code)));
}

Result<Answer> make_fault(std::string_view name, const Call& call, const http::Head& request, Time now, uint64_t id) {
  if (Result<void> known = check_fault(name); !known) return fail(known);
  const Service* service = find_service(call.service);
  Protocol protocol = protocol_of(call, service);
  const ErrorCode* error = find_error_code(code_of(name, service, protocol), call.service, protocol);
  CHECK(error);  // profiles name codes of the table
  // The first SQS clients that spoke JSON did not ask for it.
  bool query_mode = request.first("x-amzn-query-mode") == "true" || call.service == "sqs";
  Refusal refusal{*error, call, service, protocol, query_mode, mix(id ^ static_cast<uint64_t>(now.steady_ns))};
  Answer answer = shaped(refusal);
  if (answer.reason.empty()) answer.reason = http::default_reason(answer.status);
  answer.fields.emplace_back("Date", http_date(now.wall_ns));
  if (request.method() == "HEAD") answer.body.clear();
  return answer;
}

}  // namespace waylay::aws
