#include "io/connector.h"

#include <gtest/gtest.h>

#include "support.h"

namespace waylay::io {
namespace {

class Caller : public Connector::Owner {
 public:
  explicit Caller(Ring& ring) : connector(ring, Side::Upstream, *this) {}
  void call(const Address& to, int64_t limit_ns = 10 * kSecond_ns) {
    connector.start(Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)), to, limit_ns);
  }
  bool done() const { return connection || error; }
  void on_connected(Connector&, Fd fd) override { connection = std::move(fd); }
  void on_connect_failed(Connector&, Error e) override { error = std::move(e); }

  Connector connector;
  Fd connection;
  std::optional<Error> error;
};

TEST(Connector, Connects) {
  auto ring = enabled_ring();
  Fd listening = listen_on_loopback();
  Caller caller(*ring);
  caller.call(*own_address(listening.get()));
  ASSERT_TRUE(run_until(*ring, [&] { return caller.done(); }));
  ASSERT_TRUE(caller.connection) << caller.error->message;
  Fd accepted(accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_EQ(write(accepted.get(), "x", 1), 1);
  EXPECT_TRUE(readable(caller.connection.get(), 2000));
  EXPECT_EQ(ring->timers().size(), 0U);
}

TEST(Connector, TellsWhoRefusedIt) {
  auto ring = enabled_ring();
  Fd listening = listen_on_loopback();
  Address address = *own_address(listening.get());
  listening.reset();
  Caller caller(*ring);
  caller.call(address);
  ASSERT_TRUE(run_until(*ring, [&] { return caller.done(); }));
  ASSERT_TRUE(caller.error);
  EXPECT_EQ(caller.error->code, ECONNREFUSED);
  EXPECT_EQ(caller.error->side, Side::Upstream);
  EXPECT_EQ(caller.error->message, "connecting to " + address.to_string() + ": Connection refused");
}

// A listener whose backlog is full drops further SYNs: the nearest thing to a host that does not answer.
class Silence {
 public:
  Silence() : listening_(listen_on_loopback(0)) {
    address = *own_address(listening_.get());
    for (int i = 0; i < 4; i++) {
      fillers_.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      sockaddr_storage storage{};
      socklen_t length = address.to_sockaddr(storage);
      connect(fillers_.back().get(), reinterpret_cast<sockaddr*>(&storage), length);
    }
  }
  Address address;

 private:
  Fd listening_;
  std::vector<Fd> fillers_;
};

TEST(Connector, GivesUpAfterItsTimeLimit) {
  auto ring = enabled_ring();
  Silence silence;
  Caller caller(*ring);
  caller.call(silence.address, 100 * kMillisecond_ns);
  ASSERT_TRUE(run_until(*ring, [&] { return caller.done(); }));
  ASSERT_TRUE(caller.error) << "connected, although the backlog is full";
  EXPECT_EQ(caller.error->kind, ErrorKind::Timeout);
  EXPECT_NE(caller.error->message.find("no answer within 100 ms"), std::string::npos) << caller.error->message;
  EXPECT_FALSE(caller.connector.running());
}

TEST(Connector, CanBeCancelledAndStartedAgain) {
  auto ring = enabled_ring();
  Silence silence;
  Caller caller(*ring);
  caller.call(silence.address);
  run_for(*ring, 20 * kMillisecond_ns);
  caller.connector.cancel();
  ASSERT_TRUE(run_until(*ring, [&] { return caller.done(); }));
  ASSERT_TRUE(caller.error);
  EXPECT_EQ(caller.error->kind, ErrorKind::Unavailable);
  caller.error.reset();
  Fd listening = listen_on_loopback();
  caller.call(*own_address(listening.get()));
  ASSERT_TRUE(run_until(*ring, [&] { return caller.done(); }));
  EXPECT_TRUE(caller.connection);
}

}  // namespace
}  // namespace waylay::io
