#include "proxy/leaf_source.h"

#include "proxy/warden_link.h"

namespace waylay::proxy {

std::optional<Result<LeafSource::Leaf>> LeafSource::request(const tls::LeafRequest& request, Waiter<Leaf>& waiter,
                                                            Time now) {
  tls::Fingerprint mirror = tls::fingerprint_of(request.mirror);
  if (Leaf known = cache_.find(request.name, mirror, now)) return known;
  std::string key = request.name + '\0' + std::string(as_text(mirror));
  if (auto found = by_key_.find(key); found != by_key_.end()) {
    found->second->waiters.push_back(waiter);
    return std::nullopt;
  }

  Result<tls::UnsignedLeaf> leaf = minter_.prepare(request, now);
  if (!leaf) return fail(leaf);
  refill_.start_at(now.steady_ns);
  uint64_t id = next_id_++;
  if (Result<void> asked = warden_.ask_signature(id, leaf->tbs()); !asked) return fail(asked);
  auto pending = std::make_unique<Pending>(std::move(*leaf), std::move(key), mirror);
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
  return cache_.insert(std::move(*leaf), pending.mirror, now);
}

void LeafSource::fail_everyone(const Error& why) {
  by_key_.clear();
  auto pending = std::move(pending_);
  pending_.clear();
  for (auto& [id, each] : pending) fail_all(each->waiters, why);
}

// One blank a turn: filling the stock up at once would hold up the connections that are waiting.
void LeafSource::refill() {
  if (minter_.refill_one()) refill_.start_at(refill_.deadline_ns() + kMillisecond_ns);
}

}  // namespace waylay::proxy
