#include "bench/micro/support_relay.h"

#include "base/check.h"
#include "flow/h1_relay.h"
#include "flow/h2_relay.h"

namespace waylay::bench {

Relayed::Relayed(Daemon& daemon, Protocol protocol) : now_(now()) {
  auto facts = std::make_shared<flow::FlowFacts>();
  facts->id = daemon.environment().identifiers.next_flow();
  facts->opened = now_;
  facts->server_name = "origin.test";
  flow::Environment& environment = daemon.environment();
  environment.recorder.flow_changed(facts);
  flow::Relay::Link& link = *this;  // the base is private
  flow::Relay::Context context{link, environment.rules, environment.recorder, environment.identifiers, facts, {}};
  if (protocol == Protocol::Http1) {
    relay_ = std::make_unique<flow::H1Relay>(std::move(context));
  } else {
    relay_ = std::make_unique<flow::H2Relay>(std::move(context));
  }
  relay_->on_upstream_ready(now_);
}

Relayed::~Relayed() = default;

void Relayed::take_from_client(Bytes bytes) {
  relay_->on_client_bytes(bytes, now_);
}
void Relayed::take_from_upstream(Bytes bytes) {
  relay_->on_upstream_bytes(bytes, now_);
}

void Relayed::exchange(std::string_view request, std::string_view response) {
  take_from_client(as_bytes(request));
  CHECK(to_upstream_.size() == request.size());
  to_upstream_.clear();
  take_from_upstream(as_bytes(response));
  CHECK(to_client_.size() == response.size());
  to_client_.clear();
}

void Relayed::exchanges(H2Ends& ends, size_t count) {
  ends.ask(count);
  while (!ends.all_answered()) {
    ByteQueue bytes;
    ends.pull_client(bytes);
    if (!bytes.empty()) take_from_client(bytes.bytes());
    if (!to_upstream_.empty()) ends.origin_receives(to_upstream_.bytes());
    to_upstream_.clear();
    bytes.clear();
    ends.pull_origin(bytes);
    if (!bytes.empty()) take_from_upstream(bytes.bytes());
    if (!to_client_.empty()) ends.client_receives(to_client_.bytes());
    to_client_.clear();
  }
}

}  // namespace waylay::bench
