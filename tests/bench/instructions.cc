// Workloads through flows in memory, for callgrind (instructions.py): each is warmed up, then its cost is dumped under
// its name and count. callgrind counts within waylay::flow::Flow::on_... only (of a relay without TLS, within
// waylay::bench::Relayed::take_from_...; of a new name, also within the leaf's minter), so that what the two ends do is
// left out.
#include <valgrind/callgrind.h>

#include <list>
#include <string>

#include "bench/micro/support_conversation.h"
#include "bench/micro/support_relay.h"

using namespace waylay;

namespace {

// `once` gets a number that is different each time.
template <class Once>
void measure(const std::string& name, int count, Once once) {
  constexpr int kWarmUp = 5;
  for (int i = 0; i < kWarmUp; ++i) once(i);
  CALLGRIND_ZERO_STATS;
  for (int i = 0; i < count; ++i) once(kWarmUp + i);
  static std::list<std::string> labels;  // callgrind reads a label only after the request
  CALLGRIND_DUMP_STATS_AT(labels.emplace_back(name + " " + std::to_string(count)).c_str());
}

void exchanges(const std::string& name, const std::string& rules) {
  bench::Daemon daemon(rules);
  bench::Conversation conversation(daemon, "client");
  std::string response = bench::small_response();
  measure(name, 100, [&](int i) { conversation.exchange(bench::small_request(i), response); });
}

void plain_exchanges() {
  bench::Daemon daemon;
  bench::Conversation conversation(daemon, "client");
  std::string request = bench::plain_request(), response = bench::plain_response();
  measure("plain_exchange", 100, [&](int) { conversation.exchange(request, response); });
}

constexpr size_t kStreams = 8;  // at a time, as the harness has them
constexpr int kWholeBatches = 96;

void h2_exchanges() {
  bench::Daemon daemon;
  bench::H2Conversation conversation(daemon, "client");
  measure("h2_exchange", kWholeBatches, [&](int i) {
    if (i % kStreams == 0) conversation.exchanges(kStreams);
  });
}

void relays_without_tls() {
  bench::Daemon daemon;
  bench::Relayed h1(daemon, bench::Relayed::Protocol::Http1), h2(daemon, bench::Relayed::Protocol::Http2);
  bench::H2Ends ends;
  std::string request = bench::plain_request(), response = bench::plain_response();
  measure("h1_relay_exchange", 100, [&](int) { h1.exchange(request, response); });
  measure("h2_relay_exchange", kWholeBatches, [&](int i) {
    if (i % kStreams == 0) h2.exchanges(ends, kStreams);
  });
}

void connections(const std::string& name, bool client_resumes) {
  bench::Daemon daemon;
  std::string request = bench::plain_request(), response = bench::plain_response();
  measure(name, 10, [&](int i) {
    bench::Conversation conversation(daemon, client_resumes ? "client" : "client" + std::to_string(i));
    conversation.exchange(request, response);
    conversation.close();
  });
}

// Nothing is remembered: full handshakes on both sides, the upstream's certificate verified, a leaf made.
void new_names() {
  bench::Daemon daemon;
  std::string request = bench::plain_request(), response = bench::plain_response();
  measure("connection_new_name", 10, [&](int i) {
    bench::Conversation conversation(daemon, "client" + std::to_string(i), "http/1.1", 100 + static_cast<uint32_t>(i));
    conversation.exchange(request, response);
    conversation.close();
  });
}

void bulk(const std::string& name, const std::string& request, const std::string& response) {
  bench::Daemon daemon;
  bench::Conversation conversation(daemon, "client");
  measure(name, 2, [&](int) { conversation.exchange(request, response); });
}

}  // namespace

int main() {
  constexpr size_t kMebibyte = 1024 * 1024;
  plain_exchanges();
  exchanges("sdk_exchange", "");
  exchanges("sdk_exchange_10_rules", bench::rules_of(10, 1));
  exchanges("sdk_exchange_1000_rules", bench::rules_of(1000, 1));
  h2_exchanges();
  relays_without_tls();
  connections("connection", false);
  connections("connection_resumed", true);
  new_names();
  bulk("mebibyte_down", bench::plain_request(), bench::response_of(kMebibyte));
  bulk("mebibyte_up", bench::request_of(kMebibyte), bench::plain_response());
}
