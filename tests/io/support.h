// Real sockets on loopback, and a ring of one's own, for the tests of the I/O floor.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/byte_queue.h"
#include "base/clock.h"
#include "io/ring.h"
#include "io/socket.h"
#include "io/stream.h"

namespace waylay::io {

constexpr int64_t kPatience_ns = 20 * kSecond_ns;

inline std::unique_ptr<Ring> enabled_ring(const RingOptions& options = {}) {
  Result<std::unique_ptr<Ring>> ring = Ring::make(options);
  if (!ring) {
    ADD_FAILURE() << ring.error().message;
    std::abort();
  }
  EXPECT_TRUE((*ring)->enable());
  return std::move(*ring);
}

// Turns until it holds; false when it does not within kPatience_ns.
inline bool run_until(Ring& ring, const std::function<bool()>& holds) {
  int64_t end_ns = now().steady_ns + kPatience_ns;
  while (!holds()) {
    if (now().steady_ns > end_ns) return false;
    EXPECT_TRUE(ring.run_once(now().steady_ns + 20 * kMillisecond_ns));
  }
  return true;
}

inline void run_for(Ring& ring, int64_t ns) {
  for (int64_t end_ns = now().steady_ns + ns; now().steady_ns < end_ns;) EXPECT_TRUE(ring.run_once(end_ns));
}

inline Fd listen_on_loopback(int backlog = 1024) {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  socklen_t length = Address::ipv4(htonl(INADDR_LOOPBACK), 0).to_sockaddr(storage);
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), length), 0);
  EXPECT_EQ(listen(fd.get(), backlog), 0);
  return fd;
}

inline Fd connect_to(const Address& address) {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  socklen_t length = address.to_sockaddr(storage);
  EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&storage), length), 0) << strerror(errno);
  return fd;
}

// Two ends of one TCP connection over loopback.
inline std::pair<Fd, Fd> tcp_pair() {
  Fd listening = listen_on_loopback(1);
  Fd one = connect_to(*own_address(listening.get()));
  Fd other(accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_TRUE(other);
  return {std::move(one), std::move(other)};
}

inline void reset_by_peer(Fd& fd) {
  linger hard{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  fd.reset();
}

inline bool readable(int fd, int milliseconds) {
  pollfd wanted{fd, POLLIN, 0};
  return poll(&wanted, 1, milliseconds) == 1;
}

// A stream and what happened to it.
class Endpoint : public Stream::Owner {
 public:
  explicit Endpoint(Ring& ring) : ring_(ring), stream(ring, Side::Client, *this) {}
  Endpoint(Ring& ring, Fd fd) : Endpoint(ring) { stream.open(std::move(fd)); }
  ~Endpoint() override {
    stream.reset();
    EXPECT_TRUE(run_until(ring_, [&] { return stream.closed(); }));
  }

  void say(std::string_view text) {
    queue.append(text);
    stream.send(queue);
  }

  void on_received(Stream&, Bytes bytes) override {
    received.append(as_text(bytes));
    receives++;
    if (echoes) say(as_text(bytes));
    if (when_received) when_received();
  }
  void on_end(Stream&) override { ended = true; }
  void on_sent(Stream&) override { stream.send(queue); }
  void on_error(Stream&, Error e) override { error = std::move(e); }
  void on_closed(Stream&) override { closed = true; }

 private:
  Ring& ring_;

 public:
  Stream stream;
  ByteQueue queue;
  std::string received;
  int receives = 0;
  bool echoes = false;
  std::function<void()> when_received;
  bool ended = false;
  std::optional<Error> error;
  bool closed = false;
};

}  // namespace waylay::io
