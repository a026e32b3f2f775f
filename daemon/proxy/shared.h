// What the workers share: owned by Proxy, made before the first worker, outlives the last one. Each part is safe to use
// from several threads or never changes.
#pragma once

#include "flow/facts.h"
#include "flow/rejections.h"
#include "flow/upstream_protocols.h"
#include "kernel/flow_map.h"
#include "rules/rule_book.h"
#include "tls/context.h"
#include "tls/leaf.h"

namespace waylay::proxy {

// Given by whoever starts the proxy.
struct Services {
  rules::RuleBook& rules;
  flow::Rejections& rejections;
  flow::Recorder& recorder;  // called by all workers
  flow::Identifiers& identifiers;
};

struct Shared {
  Services services;
  tls::UpstreamRoots roots;
  std::shared_ptr<const tls::UpstreamPolicy> policy;
  std::unique_ptr<tls::LeafMinter> minter;
  tls::LeafCache leaves;
  flow::UpstreamProtocols protocols;
  kernel::FlowMap flow_map;
  bool error_page = false;
  tls::ClientPolicy client_policy;
};

}  // namespace waylay::proxy
