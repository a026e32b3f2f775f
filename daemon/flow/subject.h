// What the expression language sees of a flow and an exchange, while it runs (with the heads as they are on the wire)
// and afterwards (with the redacted heads of its facts).
#pragma once

#include "flow/facts.h"
#include "match/subject.h"

namespace waylay::flow {

class Subject final : public match::Subject {
 public:
  // All are borrowed; what is null is not there (yet).
  explicit Subject(const FlowFacts& flow) : flow_(flow) {}
  Subject(const FlowFacts& flow, const ExchangeFacts& exchange, const http::Head* request, const http::Head* response)
      : flow_(flow), exchange_(&exchange), request_(request), response_(response) {}
  explicit Subject(const ExchangeFacts& exchange)
      : Subject(*exchange.flow, exchange, exchange.request ? &*exchange.request : nullptr,
                exchange.response ? &*exchange.response : nullptr) {}

  match::Value value(match::Field field, std::string_view key) const override;
  void values(match::Field field, std::string_view key, match::ValueVisitor& visitor) const override;

 private:
  match::Value of_flow(match::Field field) const;
  match::Value of_exchange(match::Field field) const;
  match::Value of_call(match::Field field) const;
  match::Value of_request(match::Field field, std::string_view key) const;
  match::Value of_response(match::Field field, std::string_view key) const;

  const FlowFacts& flow_;
  const ExchangeFacts* exchange_ = nullptr;
  const http::Head* request_ = nullptr;
  const http::Head* response_ = nullptr;
  mutable std::string made_;  // for the one value that is put together: http.request.full_uri
};

}  // namespace waylay::flow
