// Leaves for a worker's flows: from the cache, or prepared here and signed by the warden. Flows that want the same leaf
// at the same moment share one signature.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "proxy/waiter.h"
#include "tls/faulty_leaf.h"

namespace waylay::proxy {

class WardenLink;

class LeafSource {
 public:
  using Leaf = std::shared_ptr<const tls::Leaf>;

  LeafSource(const tls::LeafMinter& minter, tls::LeafCache& cache, WardenLink& warden)
      : minter_(minter), cache_(cache), warden_(warden) {}

  // An answer at once, or nothing: then the waiter gets it later.
  std::optional<Result<Leaf>> request(const tls::LeafRequest& request, Waiter<Leaf>& waiter, Time now);
  // One that is wrong on purpose. It is kept for nobody else.
  std::optional<Result<Leaf>> request_faulty(const tls::LeafRequest& request, tls::LeafFault fault,
                                             Waiter<Leaf>& waiter, Time now);

  void put(uint64_t id, Result<std::string> signature, Time now);
  void fail_everyone(const Error& why);  // the warden is gone

 private:
  struct Pending {
    tls::UnsignedLeaf leaf;
    std::string key;
    tls::Fingerprint mirror;
    std::optional<tls::LeafFault> fault;
    Waiters<Leaf> waiters;
  };
  std::optional<Result<Leaf>> ask(const tls::LeafRequest& request, std::optional<tls::LeafFault> fault, std::string key,
                                  Waiter<Leaf>& waiter, Time now);
  Result<Leaf> finish(Pending& pending, const std::string& signature, Time now);

  const tls::LeafMinter& minter_;
  tls::LeafCache& cache_;
  WardenLink& warden_;
  std::map<uint64_t, std::unique_ptr<Pending>> pending_;
  std::map<std::string, Pending*, std::less<>> by_key_;  // what was asked for
  uint64_t next_id_ = 1;
};

}  // namespace waylay::proxy
