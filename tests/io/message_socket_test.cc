#include "io/message_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "support.h"

namespace waylay::io {
namespace {

class Mate : public MessageSocket::Owner {
 public:
  Mate(Ring& ring, Fd fd) : ring_(ring), socket(ring, *this) { socket.open(std::move(fd)); }
  ~Mate() override {
    socket.close();
    EXPECT_TRUE(run_until(ring_, [&] { return closed; }));
  }
  void on_message(MessageSocket&, Bytes message, std::vector<Fd> fds) override {
    messages.emplace_back(as_text(message));
    for (Fd& fd : fds) descriptors.push_back(std::move(fd));
  }
  void on_lost(MessageSocket&, Error error) override { lost = std::move(error); }
  void on_closed(MessageSocket&) override { closed = true; }

 private:
  Ring& ring_;

 public:
  MessageSocket socket;
  std::vector<std::string> messages;
  std::vector<Fd> descriptors;
  std::optional<Error> lost;
  bool closed = false;
};

std::pair<Fd, Fd> seqpacket_pair() {
  int fds[2] = {-1, -1};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
  return {Fd(fds[0]), Fd(fds[1])};
}

TEST(MessageSocket, CarriesWholeMessagesInTheirOrder) {
  auto ring = enabled_ring();
  auto [a, b] = seqpacket_pair();
  Mate one(*ring, std::move(a)), other(*ring, std::move(b));
  std::string large(MessageSocket::kMaxMessage, 'x');
  for (int i = 0; i < 100; i++) ASSERT_TRUE(one.socket.send(as_bytes("message " + std::to_string(i))));
  ASSERT_TRUE(one.socket.send(as_bytes(large)));
  ASSERT_TRUE(run_until(*ring, [&] { return other.messages.size() == 101; }));
  EXPECT_EQ(other.messages[0], "message 0");
  EXPECT_EQ(other.messages[99], "message 99");
  EXPECT_EQ(other.messages[100], large);
}

TEST(MessageSocket, HandsOverDescriptorsAndKeepsNone) {
  auto ring = enabled_ring();
  auto [a, b] = seqpacket_pair();
  Mate one(*ring, std::move(a)), other(*ring, std::move(b));
  auto [near, far] = tcp_pair();
  std::vector<Fd> fds;
  fds.push_back(std::move(near));
  for (size_t i = 1; i < MessageSocket::kMaxDescriptors; i++) fds.emplace_back(fcntl(far.get(), F_DUPFD_CLOEXEC, 0));
  int sent_number = fds[0].get();
  ASSERT_TRUE(one.socket.send(as_bytes("sockets"), std::move(fds)));
  ASSERT_TRUE(run_until(*ring, [&] { return other.descriptors.size() == MessageSocket::kMaxDescriptors; }));
  run_for(*ring, 20 * kMillisecond_ns);
  EXPECT_EQ(fcntl(sent_number, F_GETFD), -1) << "the sender has closed its own copy";
  EXPECT_EQ(fcntl(other.descriptors[0].get(), F_GETFD), FD_CLOEXEC);
  ASSERT_EQ(write(other.descriptors[0].get(), "hi", 2), 2);
  EXPECT_TRUE(readable(far.get(), 2000));
}

TEST(MessageSocket, AMessageWithoutDescriptorsAfterOneWithThemHasNone) {
  auto ring = enabled_ring();
  auto [a, b] = seqpacket_pair();
  Mate one(*ring, std::move(a)), other(*ring, std::move(b));
  std::vector<Fd> fds;
  fds.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(one.socket.send(as_bytes("with"), std::move(fds)));
  ASSERT_TRUE(one.socket.send(as_bytes("without")));
  ASSERT_TRUE(run_until(*ring, [&] { return other.messages.size() == 2; }));
  EXPECT_EQ(other.descriptors.size(), 1U);
}

TEST(MessageSocket, GoesOnWhenThisProcessMayOpenNoMoreDescriptors) {
  auto ring = enabled_ring();
  auto [a, b] = seqpacket_pair();
  Mate one(*ring, std::move(a)), other(*ring, std::move(b));
  std::vector<Fd> fds;
  for (int i = 0; i < 4; i++) fds.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(one.socket.send(as_bytes("with"), std::move(fds)));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  bool came = run_until(*ring, [&] { return other.messages.size() == 1; });
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(came) << (one.lost ? one.lost->message : "") << (other.lost ? other.lost->message : "");
  EXPECT_TRUE(other.descriptors.empty());
  ASSERT_TRUE(one.socket.send(as_bytes("more")));
  EXPECT_TRUE(run_until(*ring, [&] { return other.messages.size() == 2; }));
  EXPECT_FALSE(other.lost);
}

TEST(MessageSocket, TellsWhenTheOtherProcessIsGone) {
  auto ring = enabled_ring();
  auto [a, b] = seqpacket_pair();
  Mate one(*ring, std::move(a));
  run_for(*ring, 10 * kMillisecond_ns);
  b.reset();
  ASSERT_TRUE(run_until(*ring, [&] { return one.closed; }));
  ASSERT_TRUE(one.lost);
  EXPECT_EQ(one.lost->kind, ErrorKind::Unavailable);
  EXPECT_FALSE(one.socket.send(as_bytes("too late")));
}

TEST(MessageSocket, ALimitKeepsTheQueueForAProcessThatDoesNotReadFinite) {
  auto ring = enabled_ring();
  auto [a, b] = seqpacket_pair();
  Mate one(*ring, std::move(a));
  std::string text(1000, 'x');
  size_t queued = 0;
  while (queued < 2 * MessageSocket::kMaxQueued && one.socket.send(as_bytes(text))) queued++;
  EXPECT_EQ(queued, MessageSocket::kMaxQueued);
}

TEST(MessageSocket, ATooLongMessageEndsTheConversation) {
  auto ring = enabled_ring();
  auto [a, b] = seqpacket_pair();
  Mate one(*ring, std::move(a));
  std::string text(MessageSocket::kMaxMessage + 1, 'x');
  ASSERT_EQ(write(b.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ASSERT_TRUE(run_until(*ring, [&] { return one.closed; }));
  ASSERT_TRUE(one.lost);
  EXPECT_EQ(one.lost->kind, ErrorKind::Limit);
  EXPECT_TRUE(one.messages.empty());
}

}  // namespace
}  // namespace waylay::io
