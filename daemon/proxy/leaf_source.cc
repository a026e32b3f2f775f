#include "proxy/leaf_source.h"

#include "proxy/warden_link.h"

namespace waylay::proxy {
namespace {

// What flows that ask at the same moment must have in common to get one leaf.
std::string key_of(const tls::LeafRequest& request, int fault) {
  std::string key = request.name + '\0';
  key += static_cast<char>(fault);
  key += static_cast<char>(request.key);
  return key.append(as_text(tls::fingerprint_of(request.mirror)));
}

}  // namespace

std::optional<Result<LeafSource::Leaf>> LeafSource::request(const tls::LeafRequest& request, Waiter<Leaf>& waiter,
                                                            Time now) {
  tls::Fingerprint mirror = tls::fingerprint_of(request.mirror);
  if (Leaf known = cache_.find(request.name, mirror, request.key, now)) return known;
  return ask(request, std::nullopt, key_of(request, 0), waiter, now);
}

std::optional<Result<LeafSource::Leaf>> LeafSource::request_faulty(const tls::LeafRequest& request,
                                                                   tls::LeafFault fault, Waiter<Leaf>& waiter,
                                                                   Time now) {
  return ask(request, fault, key_of(request, 1 + static_cast<int>(fault)), waiter, now);
}

std::optional<Result<LeafSource::Leaf>> LeafSource::ask(const tls::LeafRequest& request,
                                                        std::optional<tls::LeafFault> fault, std::string key,
                                                        Waiter<Leaf>& waiter, Time now) {
  if (auto found = by_key_.find(key); found != by_key_.end()) {
    found->second->waiters.push_back(waiter);
    return std::nullopt;
  }
  Result<tls::UnsignedLeaf> leaf =
      fault ? tls::prepare_faulty(minter_, request, *fault, now) : minter_.prepare(request, now);
  if (!leaf) return fail(leaf);
  uint64_t id = next_id_++;
  if (Result<void> asked = warden_.ask_signature(id, leaf->tbs()); !asked) return fail(asked);
  auto pending =
      std::make_unique<Pending>(std::move(*leaf), std::move(key), tls::fingerprint_of(request.mirror), fault);
  pending->waiters.push_back(waiter);
  by_key_[pending->key] = pending.get();
  pending_[id] = std::move(pending);
  return std::nullopt;
}

void LeafSource::put(uint64_t id, Result<std::string> signature, Time now) {
  auto found = pending_.find(id);
  if (found == pending_.end()) return;
  std::unique_ptr<Pending> pending = std::move(found->second);
  pending_.erase(found);
  by_key_.erase(pending->key);
  if (!signature) return fail_all(pending->waiters, signature.error());
  Result<Leaf> leaf = finish(*pending, *signature, now);
  while (Waiter<Leaf>* waiter = pending->waiters.pop_front()) waiter->answer(leaf);
}

Result<LeafSource::Leaf> LeafSource::finish(Pending& pending, const std::string& signature, Time now) {
  Result<Leaf> leaf = minter_.finish(std::move(pending.leaf), as_bytes(signature));
  if (!leaf) return leaf;
  if (pending.fault) return tls::finish_faulty(std::move(*leaf), *pending.fault);
  return cache_.insert(std::move(*leaf), pending.mirror, now);
}

void LeafSource::fail_everyone(const Error& why) {
  by_key_.clear();
  auto pending = std::move(pending_);
  pending_.clear();
  for (auto& [id, each] : pending) fail_all(each->waiters, why);
}

}  // namespace waylay::proxy
