// The ledger as the API and `--json` show it (flows and exchanges: control/render.h). Field names are stable: programs
// read them. Nothing here is secret, since the facts were redacted before (flow/redact.h). Text may hold bytes that are
// not UTF-8: whoever dumps it says what becomes of them. Times are ISO 8601 in UTC, durations milliseconds with up to
// three decimals.
//
// invocation  id invocation_id(null) inferred service operation region bucket host method path target container(null)
//             process{pid comm} sdk sdk_version retry_mode retry_mode_from max_attempts outcome time retries lost_ms
//             waiting_ms injected_failures organic_failures attempts[{exchange number status end result injected rules
//             what error time gap_ms duration_ms}]
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "record/ledger.h"
#include "record/summary.h"

namespace waylay::record {

nlohmann::ordered_json to_json(const Invocation& invocation, const RetryMode& mode, Time now);

// What `waylay retries` shows: {"summary": [...], "findings": ["..."], "invocations": [...]}. Of a summary's row:
// service operation host(of what is not AWS) inferred calls attempts retried retries lost open injected_failures
// organic_failures lost_ms{p50 max total} waiting_ms.
nlohmann::ordered_json retries_json(const std::vector<Invocation>& invocations, Time now);

}  // namespace waylay::record
