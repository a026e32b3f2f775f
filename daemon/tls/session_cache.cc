#include "tls/session_cache.h"

#include <openssl/ssl.h>

#include "tls/certificate.h"

namespace waylay::tls {
namespace {

int64_t lifetime_s(const SSL_SESSION* session) {
  auto timeout = static_cast<int64_t>(SSL_SESSION_get_timeout(session));
  auto hint = static_cast<int64_t>(SSL_SESSION_get_ticket_lifetime_hint(session));
  return hint > 0 ? std::min(hint, timeout) : timeout;
}

// A resumed handshake shows no certificate, so a session must not outlive the one it was made with.
bool is_good(SSL_SESSION* session, int64_t now_s) {
  if (SSL_SESSION_is_resumable(session) != 1) return false;
  if (now_s >= static_cast<int64_t>(SSL_SESSION_get_time(session)) + lifetime_s(session)) return false;
  X509* peer = SSL_SESSION_get0_peer(session);
  return peer != nullptr && now_s < not_after_s(peer);
}

}  // namespace

SslSession SessionCache::take(const std::string& key, int64_t now_s) {
  auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  std::deque<SslSession>& sessions = found->second->sessions;
  std::erase_if(sessions, [&](const SslSession& session) { return !is_good(session.get(), now_s); });
  if (sessions.empty()) {
    entries_.pop_front();
    index_.erase(found);
    return nullptr;
  }
  if (sessions.size() == 1) return SslSession(SSL_SESSION_dup(sessions.front().get()));
  SslSession oldest = std::move(sessions.front());
  sessions.pop_front();
  return oldest;
}

void SessionCache::put(const std::string& key, SslSession session) {
  auto found = index_.find(key);
  if (found == index_.end()) {
    entries_.push_front({key, {}});
    found = index_.emplace(key, entries_.begin()).first;
  }
  entries_.splice(entries_.begin(), entries_, found->second);
  std::deque<SslSession>& sessions = found->second->sessions;
  sessions.push_back(std::move(session));
  if (sessions.size() > kSessionsPerKey) sessions.pop_front();
  if (entries_.size() <= capacity_) return;
  index_.erase(entries_.back().key);
  entries_.pop_back();
}

}  // namespace waylay::tls
