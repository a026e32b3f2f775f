// Certificates that are wrong on purpose, for clients that should notice. Each is right in everything else, so that
// what the client says is about the fault.
#pragma once

#include "tls/leaf.h"

namespace waylay::tls {

enum class LeafFault : uint8_t {
  Expired,    // three weeks ago
  WrongHost,  // for wrong-host.invalid (RFC 2606 section 2), or a neighbour where name constraints forbid that
  SelfSigned  // by its own key
};

// The two halves of LeafMinter's work, the CA's signature between them. It signs a self-signed one too, in vain: that
// costs nothing that matters, and keeps the way the same.
Result<UnsignedLeaf> prepare_faulty(const LeafMinter& minter, const LeafRequest& request, LeafFault fault, Time now);
Result<std::shared_ptr<const Leaf>> finish_faulty(std::shared_ptr<const Leaf> leaf, LeafFault fault);

}  // namespace waylay::tls
