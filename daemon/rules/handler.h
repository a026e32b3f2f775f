// A rule's handler: a program of the user's that answers a request or edits a response. It gets an API Gateway proxy
// event (payload 1.0) and is called as a Lambda function is (POST with the event as the body), over TCP or a Unix
// socket.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/clock.h"
#include "rules/handler_gate.h"

namespace waylay::rules {

struct Handler {
  static constexpr int64_t kUsualTimeout_ns = 5 * kSecond_ns;
  static constexpr int64_t kMostTimeout_ns = 900 * kSecond_ns;  // as long as a Lambda function may run
  static constexpr uint32_t kUsualConcurrency = 32, kMostConcurrency = 1000;
  static constexpr uint32_t kUsualFailures = 5, kMostFailures = 1000;
  static constexpr int64_t kUsualPause_ns = 30 * kSecond_ns, kMostPause_ns = 3600 * kSecond_ns;

  enum class Phase : uint8_t { Request, Response };

  std::string url;                 // as it was written
  std::optional<Address> address;  // nothing: socket_path is a Unix socket
  std::string socket_path;
  std::string host, path;  // of the call: "127.0.0.1:9000", "/2015-03-31/functions/function/invocations"

  Phase phase = Phase::Request;  // Response: the event holds the upstream's response too, and the answer replaces it
  int64_t timeout_ns = kUsualTimeout_ns;       // from the call to its whole answer
  uint32_t concurrency = kUsualConcurrency;    // calls of this rule at a time, of all workers; more is a failure
  bool fail_open = false;                      // after a failure: as if there were no handler; else a 502
  uint32_t breaker_failures = kUsualFailures;  // so many in a row, and
  int64_t breaker_pause_ns = kUsualPause_ns;   // no call is made for so long: each is a failure at once
  std::shared_ptr<HandlerGate> gate;           // keeps to the three above
};

}  // namespace waylay::rules
