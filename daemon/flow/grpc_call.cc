#include "flow/grpc_call.h"

#include "base/bytes.h"

namespace waylay::flow {
namespace {

constexpr std::string_view kWeb = "grpc-web", kText = "grpc-web-text";

// "application/grpc-web+proto" is "grpc-web"; "": it is none.
std::string_view protocol_of(const http::Head& head) {
  constexpr std::string_view kBegin = "application/", kGrpc = "grpc";
  std::string_view type = head.first("content-type").value_or("");
  if (!equals_ignoring_case(type.substr(0, kBegin.size()), kBegin)) return "";
  std::string_view name = trim(type.substr(kBegin.size(), type.find_first_of(";+") - kBegin.size()));
  for (std::string_view known : {kGrpc, kWeb, kText})
    if (equals_ignoring_case(name, known)) return known;
  return "";
}

}  // namespace

std::unique_ptr<GrpcCall> GrpcCall::of(const http::Head& request) {
  std::string_view protocol = protocol_of(request);
  if (protocol.empty()) return nullptr;
  return std::unique_ptr<GrpcCall>(new GrpcCall(protocol));
}

GrpcCall::GrpcCall(std::string_view protocol) : request_(protocol == kText), response_(protocol == kText) {
  conversation_.protocol = protocol;
}

void GrpcCall::on_request_body(Bytes content, Time now) {
  take(conversation_.from_client, request_, content, now);
}

void GrpcCall::on_response_head(const http::Head& response) {
  is_answered_ = protocol_of(response) == conversation_.protocol;
}

void GrpcCall::on_response_body(Bytes content, Time now) {
  if (is_answered_) take(conversation_.from_upstream, response_, content, now);
}

void GrpcCall::take(Spoken& spoken, http::GrpcReader& reader, Bytes content, Time now) {
  spoken.bytes += content.size();
  reader.put(content);
  if (reader.messages() == spoken.messages) return;
  spoken.messages = reader.messages();
  spoken.payload = reader.payload();
  if (spoken.first.steady_ns == 0) spoken.first = now;
  spoken.last = now;
}

std::shared_ptr<const Conversation> GrpcCall::take() {
  conversation_.from_client.unread = request_.failure();
  conversation_.from_upstream.unread = response_.failure();
  return std::make_shared<const Conversation>(std::move(conversation_));
}

}  // namespace waylay::flow
