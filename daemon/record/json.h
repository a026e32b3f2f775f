// Records as the API and `--json` show them. Field names are stable: programs read them. Nothing here is secret, since
// the facts were redacted before (flow/redact.h); bytes that are not UTF-8 are shown as U+FFFD, so that every value can
// be dumped. Times are ISO 8601 in UTC, durations milliseconds with up to three decimals.
//
// flow        id target outcome reason opened closed(null: open) duration_ms client destination server_name ja4
//             process{pid tid uid gid comm exe} cgroup container(null){id name image}
//             client_tls upstream_tls(null){version cipher alpn resumed} bytes_from_client bytes_from_upstream
//             exchanges
// exchange    id flow time duration_ms target process{pid comm} container(null: its name) method host path status
//             (0: none) upstream_status end error injected rules[{rule what injected}] request_bytes response_bytes
//             aws(null){service operation region bucket key table attempt max_attempts invocation_id sdk sdk_version
//             retry_mode}
// full        an exchange's and request(null) response(null){line headers[[name, value]]} timing{request_sent_ms
//             response_started_ms ended_ms: since its start, null if never} rules_version connection{a flow's}
// invocation  id invocation_id(null) inferred service operation region bucket host method path target container(null)
//             process{pid comm} sdk sdk_version retry_mode retry_mode_from max_attempts outcome time retries lost_ms
//             waiting_ms injected_failures organic_failures attempts[{exchange number status end result injected rules
//             what error time gap_ms duration_ms}]
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "flow/exchange.h"
#include "record/ledger.h"
#include "record/summary.h"

namespace waylay::record {

nlohmann::ordered_json to_json(const flow::FlowFacts& flow);
nlohmann::ordered_json to_json(const flow::ExchangeFacts& exchange);
nlohmann::ordered_json to_json_full(const flow::ExchangeFacts& exchange);
nlohmann::ordered_json to_json(const Invocation& invocation, const RetryMode& mode, Time now);

// What `waylay retries` shows: {"summary": [...], "findings": ["..."], "invocations": [...]}. Of a summary's row:
// service operation host(of what is not AWS) inferred calls attempts retried retries lost open injected_failures
// organic_failures lost_ms{p50 max total} waiting_ms.
nlohmann::ordered_json retries_json(const std::vector<Invocation>& invocations, Time now);

std::string valid_utf8(std::string_view bytes);

}  // namespace waylay::record
