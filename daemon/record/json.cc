#include "record/json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/bytes.h"

namespace waylay::record {
namespace {

using Json = nlohmann::ordered_json;

double milliseconds(int64_t ns) {
  return std::round(static_cast<double>(ns) / 1e3) / 1e3;
}

Json text_or_null(std::string_view text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json attempt_json(const Attempt& attempt) {
  return {{"exchange", attempt.exchange},
          {"number", attempt.number},
          {"status", attempt.status},
          {"end", flow::to_string(attempt.end)},
          {"result", to_string(attempt.result)},
          {"injected", attempt.injected},
          {"rules", attempt.rules},
          {"what", attempt.what},
          {"error", attempt.error},
          {"time", to_iso8601(attempt.started.wall_ns)},
          {"gap_ms", milliseconds(attempt.gap_ns)},
          {"duration_ms", milliseconds(attempt.duration_ns())}};
}

size_t failures(const Invocation& invocation, bool injected) {
  size_t number = 0;
  for (const Attempt& attempt : invocation.attempts)
    number += attempt.result == Attempted::Failed && attempt.injected == injected;
  return number;
}

Json row_json(const SummaryRow& row) {
  return {{"service", row.service},
          {"operation", row.operation},
          {"host", row.host},
          {"inferred", row.inferred},
          {"calls", row.calls},
          {"attempts", row.attempts},
          {"retried", row.retried},
          {"retries", row.retries},
          {"lost", row.lost},
          {"open", row.open},
          {"injected_failures", row.injected_failures},
          {"organic_failures", row.organic_failures},
          {"lost_ms",
           {{"p50", milliseconds(row.lost_p50_ns)},
            {"max", milliseconds(row.lost_max_ns)},
            {"total", milliseconds(row.lost_total_ns)}}},
          {"waiting_ms", milliseconds(row.waiting_ns)}};
}

}  // namespace

Json to_json(const Invocation& invocation, const RetryMode& mode, Time now) {
  Json attempts = Json::array();
  for (const Attempt& attempt : invocation.attempts) attempts.push_back(attempt_json(attempt));
  const aws::Call& call = invocation.call;
  return {{"id", invocation.id},
          {"invocation_id", text_or_null(invocation.invocation_id)},
          {"inferred", invocation.inferred},
          {"service", call.service},
          {"operation", call.operation},
          {"region", call.region},
          {"bucket", call.bucket},
          {"host", invocation.host},
          {"method", invocation.method},
          {"path", invocation.path},
          {"target", invocation.target},
          {"container", text_or_null(invocation.container)},
          {"process", {{"pid", invocation.pid}, {"comm", invocation.comm}}},
          {"sdk", call.sdk},
          {"sdk_version", call.sdk_version},
          {"retry_mode", mode.name},
          {"retry_mode_from", mode.from},
          {"max_attempts", call.max_attempts},
          {"outcome", to_string(invocation.outcome(now))},
          {"time", to_iso8601(invocation.attempts.front().started.wall_ns)},
          {"retries", invocation.retries()},
          {"lost_ms", milliseconds(invocation.lost_ns())},
          {"waiting_ms", milliseconds(invocation.waiting_ns())},
          {"injected_failures", failures(invocation, true)},
          {"organic_failures", failures(invocation, false)},
          {"attempts", std::move(attempts)}};
}

Json retries_json(const std::vector<Invocation>& invocations, Time now) {
  RetryModes modes(invocations);
  Json rows = Json::array(), sentences = Json::array(), calls = Json::array();
  for (const SummaryRow& row : summarize(invocations, now)) rows.push_back(row_json(row));
  for (const std::string& sentence : findings(invocations, now)) sentences.push_back(sentence);
  for (const Invocation& invocation : invocations) calls.push_back(to_json(invocation, modes.of(invocation), now));
  return {{"summary", std::move(rows)}, {"findings", std::move(sentences)}, {"invocations", std::move(calls)}};
}

}  // namespace waylay::record
