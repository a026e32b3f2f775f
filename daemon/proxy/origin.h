// Where a connection just accepted was going and who made it: the beginning of its flow's facts.
#pragma once

#include "base/address.h"
#include "flow/facts.h"
#include "kernel/flow_map.h"
#include "proxy/target.h"

namespace waylay::proxy {

// NotFound when nobody redirected it: a connection made to the listener itself, which would come back to us for ever if
// it were carried on. Target 0 asks conntrack (SO_ORIGINAL_DST), the others the map that our kernel programs fill.
Result<flow::FlowFacts> find_origin(const Target& target, const kernel::FlowMap& flow_map, int connection,
                                    const Address& peer, uint16_t listener_port);

}  // namespace waylay::proxy
