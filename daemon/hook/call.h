// One call of a handler, without I/O: an HTTP/1.1 POST of the event, as the Lambda runtime emulator and the Lambda
// Invoke API take it, on a connection of its own.
//
//     call.request() is sent;  put() what comes;  on_end() at the connection's end;  until done()
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/h1.h"
#include "rules/handler.h"
#include "rules/plan.h"

namespace waylay::hook {

// What Lambda takes and gives in a synchronous call (AWS Lambda quotas): 6 MB.
constexpr size_t kMostEvent = 6 * 1024 * 1024;
constexpr size_t kMostAnswer = 6 * 1024 * 1024;

// A response of ours in the upstream's place, or nothing: leave the exchange as it is.
using Answer = std::optional<rules::Response>;

class Call {
 public:
  Call(const rules::Handler& handler, std::string_view event);

  const std::string& request() const { return request_; }  // the whole message
  void put(Bytes bytes);
  void on_end();

  bool done() const { return answer_.has_value(); }
  Result<Answer> take_answer() { return std::move(*answer_); }

 private:
  void read(http::H1Reader::Event event);
  void conclude();
  void failed(std::string what);

  std::string request_, body_;
  http::H1Reader reader_;
  int status_ = 0;
  std::string function_error_;  // X-Amz-Function-Error
  std::optional<Result<Answer>> answer_;
};

}  // namespace waylay::hook
