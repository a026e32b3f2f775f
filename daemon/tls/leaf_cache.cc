#include <algorithm>

#include "tls/leaf.h"
#include "tls/x509_builder.h"

namespace waylay::tls {
namespace {

std::string key_of(std::string_view name, const Fingerprint& mirror, LeafKey key) {
  std::string text(as_text(mirror));  // of fixed length, as the next
  text += static_cast<char>(key);
  return text.append(to_lower(name));
}

// A day before the leaf ends, so that no connection begins with one that is about to expire. A leaf that mirrors a
// certificate near its own end would never be kept by that: half of what is left, then.
int64_t expiry_s(const Leaf& leaf, int64_t now_s) {
  return leaf.not_after_s - std::min(kDay_s, (leaf.not_after_s - now_s) / 2);
}

}  // namespace

std::shared_ptr<const Leaf> LeafCache::find(std::string_view name, const Fingerprint& mirror, LeafKey key, Time now) {
  std::string wanted = key_of(name, mirror, key);
  std::scoped_lock lock(mutex_);
  return find_locked(wanted, now);
}

std::shared_ptr<const Leaf> LeafCache::find_locked(const std::string& key, Time now) {
  auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  if (now.wall_ns / kSecond_ns >= found->second->expires_s) {
    entries_.erase(found->second);
    index_.erase(found);
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, found->second);
  return entries_.front().leaf;
}

std::shared_ptr<const Leaf> LeafCache::insert(std::shared_ptr<const Leaf> leaf, const Fingerprint& mirror, Time now) {
  std::string key = key_of(leaf->name, mirror, leaf->key_kind);
  std::scoped_lock lock(mutex_);
  if (std::shared_ptr<const Leaf> present = find_locked(key, now)) return present;
  entries_.push_front({key, leaf, expiry_s(*leaf, now.wall_ns / kSecond_ns)});
  index_[key] = entries_.begin();
  if (entries_.size() > capacity_) {
    index_.erase(entries_.back().key);
    entries_.pop_back();
  }
  return leaf;
}

size_t LeafCache::size() const {
  std::scoped_lock lock(mutex_);
  return entries_.size();
}

}  // namespace waylay::tls
