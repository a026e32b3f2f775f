// Certificates that we show to clients. The proxy prepares a leaf, the warden signs its bytes, the proxy finishes it.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "tls/certificate.h"
#include "tls/client_policy.h"
#include "tls/openssl.h"

namespace waylay::tls {

// Immutable once finished, shared by all connections (and threads) that show it.
struct Leaf {
  std::string name;  // the name it was asked for
  Certificate certificate;
  PrivateKey key;
  LeafKey key_kind = LeafKey::P256;
  Fingerprint fingerprint{};
  int64_t not_before_s = 0;  // seconds since 1970-01-01 UTC
  int64_t not_after_s = 0;
};

struct LeafRequest {
  std::string name;        // DNS name or IP literal
  X509* mirror = nullptr;  // the upstream's certificate, borrowed; null: from the name alone
  LeafKey key = LeafKey::P256;
};

// A leaf that waits for its signature.
class UnsignedLeaf {
 public:
  Bytes tbs() const { return tbs_; }  // DER of the to-be-signed certificate: what CertificateAuthority::sign() takes
  const std::string& name() const { return name_; }

 private:
  friend class LeafMinter;
  std::string name_;
  LeafKey key_ = LeafKey::P256;
  Certificate certificate_;
  std::vector<std::byte> tbs_;
};

// Makes leaves for one CA with one key of each kind per run. Usable by several threads at once.
class LeafMinter {
 public:
  static Result<std::unique_ptr<LeafMinter>> create(std::string_view ca_certificate_pem);
  ~LeafMinter();

  // An RSA key takes 0.1 to 1 s to make: in a thread of its own from now on, before others use the minter. Without this
  // the first who wants one waits for it.
  void make_rsa_key_in_background();

  // Mirrored leaves have the upstream's names (at most 200, the asked one always among them if the upstream is valid
  // for it), its common name, and end with it at the latest. Valid from two days ago for at most seven days from now.
  // Permission: the CA's name constraints do not allow this name.
  Result<UnsignedLeaf> prepare(const LeafRequest& request, Time now) const;
  Result<std::shared_ptr<const Leaf>> finish(UnsignedLeaf&& leaf, Bytes signature) const;

 private:
  struct Core;
  explicit LeafMinter(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

// The leaves in use, by name, mirrored certificate and kind of key. The least recently used goes first; an entry ends a
// day before its leaf does. Usable by several threads at once: one cache for all workers, since a ticket is bound to
// its leaf.
class LeafCache {
 public:
  explicit LeafCache(size_t capacity = 10'000) : capacity_(capacity) {}

  // `mirror` is fingerprint_of() the upstream's certificate. Null: not there, or about to expire.
  std::shared_ptr<const Leaf> find(std::string_view name, const Fingerprint& mirror, LeafKey key, Time now);

  // Returns the leaf to use: the one that is already there, if another worker was faster.
  std::shared_ptr<const Leaf> insert(std::shared_ptr<const Leaf> leaf, const Fingerprint& mirror, Time now);

  size_t size() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const Leaf> leaf;
    int64_t expires_s;
  };
  std::shared_ptr<const Leaf> find_locked(const std::string& key, Time now);

  mutable std::mutex mutex_;
  size_t capacity_;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<std::string, std::list<Entry>::iterator> index_;
};

}  // namespace waylay::tls
