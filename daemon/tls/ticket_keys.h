// What seals the session tickets that clients get (RFC 5077 section 4; TLS 1.3's tickets are sealed alike). Made once
// per run of the daemon, then each worker has its own copy and renews it as time passes. The next key is a digest of
// the present one: so workers agree without sharing anything, a client may resume on any of them, and whoever finds
// the keys cannot read what was sealed before the last period.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"
#include "tls/openssl.h"

namespace waylay::tls {

class TicketKeys {
 public:
  // More than a session lives (two hours, SSL_get_default_timeout(3)): the key before is taken for one period more, so
  // that no ticket ends earlier than its session.
  static constexpr int64_t kPeriod_ns = 6 * 60 * 60 * kSecond_ns;

  struct Key {
    static constexpr size_t kSecret = 32;
    std::array<unsigned char, 16> name;  // in clear in each ticket
    std::array<unsigned char, 2 * kSecret> secrets;
    const unsigned char* mac() const { return secrets.data(); }
    const unsigned char* cipher() const { return secrets.data() + kSecret; }
  };

  static Result<TicketKeys> make(Time now);
  TicketKeys(const TicketKeys&) = default;
  TicketKeys& operator=(const TicketKeys&) = default;
  ~TicketKeys();

  // Forgets the keys whose time is over. Returns when to be called next (Time::steady_ns).
  int64_t renew(Time now);

  const Key& current() const { return current_; }
  const Key* find(const unsigned char* name) const;  // null: of another time or run

 private:
  explicit TicketKeys(int64_t period) : period_(period) {}
  void step();

  Key current_, previous_;
  int64_t period_;  // of the steady clock, which is one for all threads and never jumps
};

// The context keeps a copy of the keys, which is wiped when the last SSL made from it is freed.
bool seal_tickets(SSL_CTX* context, const TicketKeys& keys);
int64_t renew_ticket_keys(SSL_CTX* context, Time now);  // as TicketKeys::renew()

}  // namespace waylay::tls
