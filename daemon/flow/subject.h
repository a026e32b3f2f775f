// What the expression language sees of a flow and an exchange, while it runs (with the heads as they are on the wire)
// and afterwards (with the redacted heads of its facts).
#pragma once

#include "body/content.h"
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

  // The bodies that were collected, null where none was (yet). Borrowed.
  void set_bodies(const body::Content* request, const body::Content* response) {
    request_body_ = request;
    response_body_ = response;
  }

  match::Value value(match::Field field, std::string_view key) const override;
  match::Value json(match::Field field, const match::JsonPath& path) const override;
  void values(match::Field field, std::string_view key, match::ValueVisitor& visitor) const override;

 private:
  match::Value of_flow(match::Field field) const;
  match::Value of_exchange(match::Field field) const;
  match::Value of_call(match::Field field) const;
  match::Value of_request(match::Field field, std::string_view key) const;
  match::Value of_response(match::Field field, std::string_view key) const;
  match::Value of_time(match::Field field) const;

  const FlowFacts& flow_;
  const ExchangeFacts* exchange_ = nullptr;
  const http::Head* request_ = nullptr;
  const http::Head* response_ = nullptr;
  const body::Content* request_body_ = nullptr;
  const body::Content* response_body_ = nullptr;
  mutable std::string made_;  // for the values that are put together: http.request.full_uri, time.date, time.of_day
};

}  // namespace waylay::flow
