// Counts the messages of a gRPC call (gRPC, gRPC-Web), as an exchange's bodies bring them. Owned by the exchange.
#pragma once

#include <memory>

#include "flow/facts.h"
#include "http/grpc_reader.h"

namespace waylay::flow {

class GrpcCall {
 public:
  // Null if this request is none: by its Content-Type.
  static std::unique_ptr<GrpcCall> of(const http::Head& request);

  void on_request_body(Bytes content, Time now);
  void on_response_head(const http::Head& response);  // an answer that is no gRPC has no messages
  void on_response_body(Bytes content, Time now);
  std::shared_ptr<const Conversation> take();  // at the end

 private:
  explicit GrpcCall(std::string_view protocol);
  static void take(Spoken& spoken, http::GrpcReader& reader, Bytes content, Time now);

  Conversation conversation_;
  http::GrpcReader request_, response_;
  bool is_answered_ = false;
};

}  // namespace waylay::flow
