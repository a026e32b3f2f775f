#include "record/summary.h"

#include <algorithm>
#include <tuple>

namespace waylay::record {
namespace {

using Key = std::tuple<std::string, std::string, std::string>;

Key key_of(const Invocation& invocation) {
  if (invocation.call.known()) return {invocation.call.service, invocation.call.operation, ""};
  return {"", "", invocation.host};
}

int64_t median(std::vector<int64_t> values) {
  if (values.empty()) return 0;
  auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

void count(SummaryRow& row, const Invocation& invocation, Time now) {
  CallOutcome outcome = invocation.outcome(now);
  ++row.calls;
  row.attempts += invocation.attempts.size();
  row.retried += invocation.retries() > 0;
  row.retries += invocation.retries();
  row.lost += outcome == CallOutcome::Failed;
  row.open += outcome == CallOutcome::Open;
  row.inferred |= invocation.inferred;
  row.waiting_ns += invocation.waiting_ns();
  for (const Attempt& attempt : invocation.attempts)
    if (attempt.result == Attempted::Failed) ++(attempt.injected ? row.injected_failures : row.organic_failures);
}

// Who made the SDK that announces this many attempts by default: botocore's modes (documented in the AWS SDKs and Tools
// Reference Guide, "Retry behavior").
std::string_view mode_of_maximum(const aws::Call& call) {
  bool botocore = call.sdk == "Boto3" || call.sdk == "Botocore" || call.sdk == "aws-cli";
  if (!botocore) return {};
  if (call.max_attempts == 5 || (call.max_attempts == 10 && call.service == "dynamodb")) return "legacy";
  return call.max_attempts == 3 ? "standard" : "";
}

RetryMode own_mode(const Invocation& invocation) {
  if (!invocation.call.retry_mode.empty()) return {invocation.call.retry_mode, "said"};
  std::string_view mode = mode_of_maximum(invocation.call);
  return {std::string(mode), mode.empty() ? "" : "max"};
}

}  // namespace

std::vector<SummaryRow> summarize(const std::vector<Invocation>& invocations, Time now) {
  std::map<Key, SummaryRow> rows;
  std::map<Key, std::vector<int64_t>> lost;
  for (const Invocation& invocation : invocations) {
    Key key = key_of(invocation);
    count(rows[key], invocation, now);
    if (invocation.retries() > 0) lost[key].push_back(invocation.lost_ns());
  }
  std::vector<SummaryRow> result;
  for (auto& [key, row] : rows) {
    std::tie(row.service, row.operation, row.host) = key;
    for (int64_t time : lost[key]) {
      row.lost_total_ns += time;
      row.lost_max_ns = std::max(row.lost_max_ns, time);
    }
    row.lost_p50_ns = median(std::move(lost[key]));
    result.push_back(std::move(row));
  }
  return result;
}

RetryModes::RetryModes(const std::vector<Invocation>& invocations) {
  for (const Invocation& invocation : invocations) {
    std::string mode = own_mode(invocation).name;
    if (mode.empty()) continue;
    auto [known, is_new] = of_process_.emplace(Process(invocation.target, invocation.pid), mode);
    if (!is_new && known->second != mode) known->second.clear();
  }
}

RetryMode RetryModes::of(const Invocation& invocation) const {
  RetryMode mode = own_mode(invocation);
  if (!mode.name.empty() || invocation.pid == 0 || invocation.call.sdk.empty()) return mode;
  auto found = of_process_.find({invocation.target, invocation.pid});
  if (found == of_process_.end() || found->second.empty()) return mode;
  return {found->second, "process"};
}

}  // namespace waylay::record
