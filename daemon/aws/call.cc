#include "aws/call.h"

#include <algorithm>
#include <charconv>

#include "aws/endpoint.h"
#include "aws/operation.h"
#include "aws/service.h"
#include "aws/uri.h"
#include "aws/user_agent.h"

namespace waylay::aws {
namespace {

std::string_view value_of(const http::Head& request, std::string_view name) {
  return request.first(name).value_or(std::string_view());
}

std::optional<Endpoint> signed_for(const http::Head& request, const TargetParts& target) {
  if (auto authorization = request.first("authorization")) return endpoint_of_authorization(*authorization);
  if (auto credential = query_value(target.query, "X-Amz-Credential")) return endpoint_of_credential(*credential);
  return std::nullopt;
}

// BUCKET.s3.anything on hosts that are not Amazon's: how local S3 look-alikes do virtual hosting.
std::string bucket_of_other_host(std::string_view host) {
  size_t dot = host.find(".s3.");
  return std::string(host.substr(0, dot == std::string_view::npos ? 0 : dot));
}

// The host says it best; a signature fills what the host leaves open, and stands in for it at other people's endpoints.
void read_endpoint(const http::Head& request, std::string_view host, const TargetParts& target, Call& call) {
  Endpoint endpoint = endpoint_of_host(host);
  if (endpoint.service.empty() || endpoint.region.empty()) {
    std::optional<Endpoint> scope = signed_for(request, target);
    if (scope && endpoint.service.empty()) {
      endpoint.service = scope->service;
      if (endpoint.service == "s3") endpoint.bucket = bucket_of_other_host(host);
      // Bedrock's two APIs share a signing name; the one that runs models has these paths.
      if (endpoint.service == "bedrock" && target.path.starts_with("/model/")) endpoint.service = "bedrock-runtime";
    }
    if (scope && endpoint.region.empty()) endpoint.region = scope->region;
  }
  call.service = std::move(endpoint.service);
  call.region = std::move(endpoint.region);
  call.bucket = std::move(endpoint.bucket);
}

int number_after(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view part = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    while (part.starts_with(' ')) part.remove_prefix(1);
    if (!part.starts_with(name)) continue;
    part.remove_prefix(name.size());
    int value = 0;
    auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    return error == std::errc() && end == part.data() + part.size() && value > 0 ? value : 0;
  }
  return 0;
}

void read_retries(const http::Head& request, Call& call) {
  call.invocation_id = value_of(request, "amz-sdk-invocation-id");
  std::string_view attempt = value_of(request, "amz-sdk-request");  // "ttl=20261122T023030Z; attempt=2; max=5"
  call.attempt = number_after(attempt, "attempt=");
  call.max_attempts = number_after(attempt, "max=");
}

void read_sdk(const http::Head& request, Call& call) {
  UserAgent agent = read_user_agent(value_of(request, "user-agent"));
  if (agent.sdk.empty()) agent = read_user_agent(value_of(request, "x-amz-user-agent"));
  call.sdk = std::move(agent.sdk);
  call.sdk_version = std::move(agent.version);
  call.retry_mode = std::move(agent.retry_mode);
}

Protocol protocol_of(const http::Head& request, const TargetParts& target, std::string_view service) {
  std::string_view type = value_of(request, "content-type");
  if (value_of(request, "smithy-protocol") == "rpc-v2-cbor") return Protocol::RpcV2Cbor;
  if (type.starts_with("application/x-amz-json-1.0")) return Protocol::Json10;
  if (type.starts_with("application/x-amz-json-1.1")) return Protocol::Json11;
  const Service* row = find_service(service);
  Protocol usual = row ? row->protocol : Protocol::Unknown;
  bool names_target = request.has("x-amz-target");  // of the JSON protocols, whatever the content type says
  bool query = query_value(target.query, "Action") ||
               (is_form(request) && !names_target && usual != Protocol::RestXml && usual != Protocol::RestJson);
  if (query) return usual == Protocol::Ec2 ? Protocol::Ec2 : Protocol::Query;
  return usual;
}

// "DynamoDB_20120810.GetItem"; Smithy's CBOR protocol says it in the path: /service/NAME/operation/OPERATION.
std::string_view named_operation(const http::Head& request, const TargetParts& target) {
  if (std::string_view name = value_of(request, "x-amz-target"); !name.empty()) return name.substr(name.rfind('.') + 1);
  if (auto action = query_value(target.query, "Action")) return *action;
  constexpr std::string_view kMark = "/operation/";
  if (size_t mark = target.path.find(kMark); target.path.starts_with("/service/") && mark != std::string_view::npos)
    return target.path.substr(mark + kMark.size());
  return {};
}

void read_operation(const http::Head& request, const TargetParts& target, Call& call) {
  if (call.service == "s3") return read_s3_request(request, target, call);
  std::string_view name = named_operation(request, target);
  if (!is_identifier(name)) name = rest_operation(call.service, request.method(), target.path);
  call.operation = name;
}

}  // namespace

bool is_form(const http::Head& request) {
  return value_of(request, "content-type").starts_with("application/x-www-form-urlencoded");
}

bool is_identifier(std::string_view text) {
  auto is_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, is_word);
}

Call classify(const http::Head& request, std::string_view host) {
  Call call;
  TargetParts target = split_target(request.target());
  read_retries(request, call);
  read_sdk(request, call);
  read_endpoint(request, host, target, call);
  if (!call.known()) return call;
  call.protocol = protocol_of(request, target, call.service);
  read_operation(request, target, call);
  return call;
}

}  // namespace waylay::aws
