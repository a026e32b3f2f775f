// Upstream sessions to resume, by everything they depend on. Of one worker: no lock.
//
// OpenSSL marks a TLS 1.3 session as spent as soon as one handshake with it is done, for everybody who holds it. So the
// last session of a key is handed out as a copy, the others are handed out once, which also suits servers that accept a
// ticket only once.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <string>
#include <unordered_map>

#include "tls/openssl.h"

namespace waylay::tls {

class SessionCache {
 public:
  static constexpr size_t kKeys = 4096;
  static constexpr size_t kSessionsPerKey = 2;

  explicit SessionCache(size_t keys = kKeys) : capacity_(keys) {}

  SslSession take(const std::string& key, int64_t now_s);  // null: none that is still good
  void put(const std::string& key, SslSession session);
  size_t keys() const { return entries_.size(); }

 private:
  struct Entry {
    std::string key;
    std::deque<SslSession> sessions;  // oldest first
  };

  size_t capacity_;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<std::string, std::list<Entry>::iterator> index_;
};

}  // namespace waylay::tls
