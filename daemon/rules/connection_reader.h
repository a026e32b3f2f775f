// What a rule does to connections: upstream, block, tls.
#pragma once

#include "rules/actions.h"
#include "rules/json_reader.h"

namespace waylay::rules {

// {"host": "10.0.0.5", "port": 8443, "address": "10.0.0.5", "rewrite_host": false, "rewrite_sni": false}. The address
// of a host that is a name is looked up by whoever writes the rule (waylay rules add does): the daemon asks no
// resolver, whose answers would come from the network.
Redirect read_upstream(Reader& reader, const Json& value, const Place& place);

// true or "rst"
std::optional<Block> read_block(Reader& reader, const Json& value, const Place& place);

// "expired", "wrong-host", "self-signed", or {"certificate": one of these, "alert": "handshake_failure", "delay": ...}
TlsAction read_tls(Reader& reader, const Json& value, const Place& place);

}  // namespace waylay::rules
