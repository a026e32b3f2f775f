#include "io/listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <set>

#include "support.h"

namespace waylay::io {
namespace {

class Door : public Listener::Owner {
 public:
  Door(Ring& ring, Fd fd) : ring_(ring), address(*own_address(fd.get())), listener(ring, *this) {
    listener.open(std::move(fd));
  }
  ~Door() override {
    listener.close();
    EXPECT_TRUE(run_until(ring_, [&] { return closed; }));
  }
  void on_accepted(Listener&, Fd connection, const Address& peer) override {
    connections.push_back(std::move(connection));
    peers.insert(peer);
  }
  void on_listener_error(Listener&, Error e) override { error = std::move(e); }
  void on_closed(Listener&) override { closed = true; }

 private:
  Ring& ring_;

 public:
  Address address;
  Listener listener;
  std::vector<Fd> connections;
  std::set<Address> peers;
  std::optional<Error> error;
  bool closed = false;
};

TEST(Listener, GivesTheConnectionAndItsPeer) {
  auto ring = enabled_ring();
  Door door(*ring, listen_on_loopback());
  Fd client = connect_to(door.address);
  ASSERT_TRUE(run_until(*ring, [&] { return door.connections.size() == 1; }));
  EXPECT_EQ(*door.peers.begin(), *own_address(client.get()));
  EXPECT_EQ(fcntl(door.connections[0].get(), F_GETFD), FD_CLOEXEC);
}

TEST(Listener, AcceptsAStormOfFiveHundred) {
  auto ring = enabled_ring();
  Door door(*ring, listen_on_loopback(1024));
  std::vector<Fd> clients;
  for (int i = 0; i < 500; i++) clients.push_back(connect_to(door.address));
  EXPECT_TRUE(run_until(*ring, [&] { return door.connections.size() == 500; }));
  EXPECT_EQ(door.peers.size(), 500U);
}

TEST(Listener, ANonBlockingSocketIsAcceptedFromAsWell) {
  auto ring = enabled_ring();
  Fd fd = listen_on_loopback();
  fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  Door door(*ring, std::move(fd));
  run_for(*ring, 20 * kMillisecond_ns);
  Fd client = connect_to(door.address);
  EXPECT_TRUE(run_until(*ring, [&] { return door.connections.size() == 1; }));
  EXPECT_FALSE(door.error);
}

TEST(Listener, WaitsWithoutSpinningWhenDescriptorsRunOutAndThenGoesOn) {
  auto ring = enabled_ring();
  Door door(*ring, listen_on_loopback());
  Fd client = connect_to(door.address);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  uint64_t turns = ring->counters().turns;
  run_for(*ring, 500 * kMillisecond_ns);
  EXPECT_LT(ring->counters().turns - turns, 30U);
  EXPECT_TRUE(door.connections.empty());
  EXPECT_FALSE(door.error);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(run_until(*ring, [&] { return door.connections.size() == 1; }));
}

TEST(Listener, ClosingRefusesWhoComesLater) {
  auto ring = enabled_ring();
  Door door(*ring, listen_on_loopback());
  run_for(*ring, 10 * kMillisecond_ns);
  door.listener.close();
  ASSERT_TRUE(run_until(*ring, [&] { return door.closed; }));
  Fd late(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  socklen_t length = door.address.to_sockaddr(storage);
  EXPECT_EQ(connect(late.get(), reinterpret_cast<sockaddr*>(&storage), length), -1);
  EXPECT_EQ(errno, ECONNREFUSED);
}

TEST(Listener, ReportsASocketThatDoesNotListen) {
  auto ring = enabled_ring();
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Door door(*ring, std::move(fd));
  ASSERT_TRUE(run_until(*ring, [&] { return door.closed; }));
  ASSERT_TRUE(door.error);
  EXPECT_EQ(door.error->code, EINVAL);
}

}  // namespace
}  // namespace waylay::io
