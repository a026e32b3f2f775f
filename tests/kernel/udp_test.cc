// Datagrams to the redirected ports: connecting a UDP socket works as ever, sending does not.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "kernel/support.h"

namespace waylay::kernel::testing {
namespace {

Fd udp_socket(const Address& to) {
  return Fd(socket(to.family == Family::Ipv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

std::string outcome(ssize_t result) {
  return result >= 0 ? "sent" : strerrorname_np(errno);
}

std::string connect_udp(const Fd& socket, const Address& to) {
  sockaddr_storage name{};
  socklen_t size = to.to_sockaddr(name);
  return connect(socket.get(), reinterpret_cast<sockaddr*>(&name), size) == 0 ? "connected" : strerrorname_np(errno);
}

std::string send_to(const std::string& text) {
  Address to = *Address::parse(text);
  Fd socket = udp_socket(to);
  sockaddr_storage name{};
  socklen_t size = to.to_sockaddr(name);
  return outcome(sendto(socket.get(), "x", 1, 0, reinterpret_cast<sockaddr*>(&name), size));
}

std::string connect_and_send(const std::string& text) {
  Address to = *Address::parse(text);
  Fd socket = udp_socket(to);
  std::string connected = connect_udp(socket, to);
  return connected + " " + outcome(send(socket.get(), "x", 1, 0));
}

class Datagrams : public RedirectTest {
 protected:
  std::string in_client(const std::function<std::string()>& work, const Cgroup* from = nullptr) {
    Client client(from ? *from : cgroup_, net_, [&](Talk& talk) { talk.say(work()); });
    return client.talk().hear();
  }
};

TEST_F(Datagrams, AreRefusedWhenSentByAnUnconnectedSocket) {
  connect_to_origin();
  auto redirect = attach();
  for (const char* to : {"10.77.0.2:443", "[fd77::2]:443", "[::ffff:10.77.0.2]:443"})
    EXPECT_EQ(in_client([&] { return send_to(to); }), "EPERM") << to;
  EXPECT_EQ(redirect->counters()->udp_refused, 3u);
  EXPECT_EQ(redirect->counters()->seen, 0u);
}

TEST_F(Datagrams, AreRefusedWhenSentByAConnectedSocketWhichConnectedAsEver) {
  connect_to_origin();
  auto redirect = attach();
  for (const char* to : {"10.77.0.2:443", "[fd77::2]:443", "[::ffff:10.77.0.2]:443"})
    EXPECT_EQ(in_client([&] { return connect_and_send(to); }), "connected EPERM") << to;
  EXPECT_EQ(redirect->counters()->udp_refused, 3u);
}

TEST_F(Datagrams, PassToOtherPortsAndFromOtherCgroups) {
  connect_to_origin();
  Cgroup other("b");
  auto redirect = attach();
  EXPECT_EQ(in_client([] { return send_to("10.77.0.2:53"); }), "sent");
  EXPECT_EQ(in_client([] { return connect_and_send("10.77.0.2:53"); }), "connected sent");
  EXPECT_EQ(in_client([] { return send_to("10.77.0.2:443"); }, &other), "sent");
  EXPECT_EQ(in_client([] { return connect_and_send("[fd77::2]:443"); }, &other), "connected sent");
  EXPECT_EQ(redirect->counters()->udp_refused, 0u);
}

TEST_F(Datagrams, OfOtherProcessesPassWhenOneProcessIsTheTarget) {
  connect_to_origin();
  Child somebody([](Talk& talk) { talk.hear(); });
  RedirectConfig one_process = config();
  one_process.only_pid = somebody.pid();
  auto redirect = attach(one_process);
  EXPECT_EQ(in_client([] { return send_to("10.77.0.2:443"); }), "sent");
  EXPECT_EQ(in_client([] { return connect_and_send("10.77.0.2:443"); }), "connected sent");
}

TEST_F(Datagrams, OfASocketConnectedBeforeTheAttachGoOn) {
  connect_to_origin();
  Client client(cgroup_, net_, [](Talk& talk) {
    Address to = *Address::parse("10.77.0.2:443");
    Fd socket = udp_socket(to);
    talk.say(connect_udp(socket, to));
    talk.hear();
    talk.say(outcome(send(socket.get(), "x", 1, 0)));
  });
  ASSERT_EQ(client.talk().hear(), "connected");
  auto redirect = attach();
  client.talk().say("go");
  EXPECT_EQ(client.talk().hear(), "sent");
}

TEST_F(Datagrams, PassAgainFromASocketThatIsConnectedElsewhere) {
  connect_to_origin();
  auto redirect = attach();
  std::string said = in_client([] {
    Address to = *Address::parse("10.77.0.2:443");
    Fd socket = udp_socket(to);
    std::string first = connect_udp(socket, to) + " " + outcome(send(socket.get(), "x", 1, 0));
    std::string second = connect_udp(socket, *Address::parse("10.77.0.2:53"));
    return first + " " + second + " " + outcome(send(socket.get(), "x", 1, 0));
  });
  EXPECT_EQ(said, "connected EPERM connected sent");
}

TEST_F(Datagrams, PassAfterTheRedirectEnded) {
  connect_to_origin();
  attach().reset();
  EXPECT_EQ(in_client([] { return send_to("10.77.0.2:443"); }), "sent");
  EXPECT_EQ(in_client([] { return connect_and_send("10.77.0.2:443"); }), "connected sent");
}

}  // namespace
}  // namespace waylay::kernel::testing
