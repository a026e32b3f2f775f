// Who refused our leaf: the next connections of that process to that name are passed through for ten minutes, so that
// nobody's running program stays broken. Shared by all workers, thread-safe, bounded.
//
// An alert about our certificate is certain. An end without a word is a guess: Node verifies after the handshake and
// leaves, but so do a health check and a cancelled call. One guess is enough, since a process that does not trust us
// must not lose a second call; but of a process that has sent data over our leaf to that name it is not believed, and
// is taken back once it does: a browser that opens two connections drops one before the other has said a word.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>

#include "base/clock.h"

namespace waylay::flow {

class Rejections {
 public:
  static constexpr int64_t kLifetime_ns = 600 * kSecond_ns;
  static constexpr size_t kMaximum = 10'000;

  struct Key {
    uint32_t target = 0, pid = 0;
    std::string client;  // the client's IP where no pid is known
    std::string name;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  void learn(Key key, std::string reason, Time now);
  void guess(Key key, std::string reason, Time now);  // learnt unless that process has accepted our leaf
  void accepted(Key key, Time now);  // it sends data over our leaf: remembered as long as a refusal, and undoes a guess
  std::optional<std::string> reason_to_pass(const Key& key, Time now);
  size_t size() const;

 private:
  struct Entry {
    std::string reason;
    int64_t until_ns = 0;
    bool guessed = false;
  };
  void insert(Key key, Entry entry);  // with mutex_ held
  void forget_old(int64_t now_ns);
  mutable std::mutex mutex_;
  std::map<Key, Entry> entries_;
  std::map<Key, int64_t> accepted_;  // until when
  std::atomic<bool> any_{false};     // the common case takes no lock
};

// Numbers for flows and exchanges, one sequence of each for the daemon.
class Identifiers {
 public:
  uint64_t next_flow() { return flow_.fetch_add(1, std::memory_order_relaxed) + 1; }
  uint64_t next_exchange() { return exchange_.fetch_add(1, std::memory_order_relaxed) + 1; }

 private:
  std::atomic<uint64_t> flow_{0}, exchange_{0};
};

}  // namespace waylay::flow
