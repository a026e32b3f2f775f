#include "io/stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <random>
#include <thread>

#include "support.h"

namespace waylay::io {
namespace {

std::string pattern(size_t size) {
  std::string text(size, ' ');
  std::mt19937 random(11);
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

std::string read_all(int fd) {
  std::string all;
  char part[65536];
  for (;;) {
    ssize_t n = ::read(fd, part, sizeof part);
    if (n <= 0) return all;
    all.append(part, static_cast<size_t>(n));
  }
}

TEST(Stream, EchoesBytesThatComeOneByOne) {
  auto ring = enabled_ring();
  auto [near, far] = tcp_pair();
  Endpoint echo(*ring, std::move(near));
  echo.echoes = true;
  std::string text = "one byte at a time";
  for (char c : text) {
    ASSERT_EQ(write(far.get(), &c, 1), 1);
    ASSERT_TRUE(run_until(*ring, [&] { return readable(far.get(), 0); }));
    char back = 0;
    ASSERT_EQ(read(far.get(), &back, 1), 1);
    EXPECT_EQ(back, c);
  }
  EXPECT_EQ(echo.received, text);
}

TEST(Stream, CarriesMegabytesBothWaysUnchanged) {
  auto ring = enabled_ring();
  auto [near, far] = tcp_pair();
  Endpoint echo(*ring, std::move(near));
  echo.echoes = true;
  std::string text = pattern(6'000'000), back;
  std::thread writer([&, fd = far.get()] {
    for (size_t at = 0; at < text.size();) {
      size_t part = std::min<size_t>(1 + at % 70'001, text.size() - at);
      ssize_t n = write(fd, text.data() + at, part);
      if (n <= 0) return;
      at += static_cast<size_t>(n);
    }
    shutdown(fd, SHUT_WR);
  });
  std::thread reader([&, fd = far.get()] { back = read_all(fd); });
  EXPECT_TRUE(run_until(*ring, [&] { return echo.ended && !echo.stream.sending() && echo.queue.empty(); }));
  echo.stream.shutdown_write();
  writer.join();
  reader.join();
  EXPECT_EQ(echo.received, text);
  EXPECT_EQ(back, text);
}

TEST(Stream, APausedStreamGetsNothingUntilItIsResumed) {
  auto ring = enabled_ring();
  auto [near, far] = tcp_pair();
  Endpoint end(*ring);
  end.stream.pause_receive();
  end.stream.open(std::move(near));
  ASSERT_EQ(write(far.get(), "hello", 5), 5);
  run_for(*ring, 100 * kMillisecond_ns);
  EXPECT_EQ(end.received, "");
  end.stream.resume_receive();
  EXPECT_TRUE(run_until(*ring, [&] { return end.received == "hello"; }));
}

TEST(Stream, PausingWhileReceivingStopsAtOnceSoThatAFastPeerIsHeldBack) {
  auto ring = enabled_ring();
  auto [near, far] = tcp_pair();
  Endpoint end(*ring);
  end.when_received = [&] { end.stream.pause_receive(); };
  end.stream.open(std::move(near));
  std::string flood = pattern(16'000'000);
  fcntl(far.get(), F_SETFL, O_NONBLOCK);
  size_t written = 0;
  for (int64_t stop_ns = now().steady_ns + 300 * kMillisecond_ns; now().steady_ns < stop_ns;) {
    ssize_t n = write(far.get(), flood.data(), flood.size());
    if (n > 0) written += static_cast<size_t>(n);
    run_for(*ring, 5 * kMillisecond_ns);
  }
  EXPECT_EQ(end.receives, 1);
  EXPECT_LE(end.received.size(), 65536U);
  EXPECT_LT(written, flood.size()) << "the kernel's socket buffers are what may fill, not our memory";
}

TEST(Stream, ASlowReaderLeavesBytesInTheOwnersQueueAndTheStreamHoldsOneBatch) {
  auto ring = enabled_ring();
  auto [near, far] = tcp_pair();
  Endpoint end(*ring, std::move(near));
  end.say(pattern(8'000'000));
  end.say("and more");
  run_for(*ring, 100 * kMillisecond_ns);
  EXPECT_TRUE(end.stream.sending());
  EXPECT_LE(end.stream.unsent(), 8'000'000U);
  EXPECT_EQ(end.queue.text(), "and more");
  std::string got;
  std::thread reader([&, fd = far.get()] { got = read_all(fd); });
  EXPECT_TRUE(run_until(*ring, [&] { return !end.stream.sending() && end.queue.empty(); }));
  end.stream.shutdown_write();
  reader.join();
  EXPECT_EQ(got, pattern(8'000'000) + "and more");
}

TEST(Stream, FiftyStreamsCompleteWithTwoBuffers) {
  auto ring = enabled_ring({.buffer_count = 2, .buffer_size = 1024});
  constexpr int kStreams = 50;
  std::vector<Fd> far;
  std::vector<std::unique_ptr<Endpoint>> ends;
  std::string text = pattern(40'000);
  for (int i = 0; i < kStreams; i++) {
    auto [near, peer] = tcp_pair();
    far.push_back(std::move(peer));
    ASSERT_EQ(write(far.back().get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ends.push_back(std::make_unique<Endpoint>(*ring, std::move(near)));
  }
  EXPECT_TRUE(run_until(*ring, [&] {
    for (auto& end : ends)
      if (end->received.size() < text.size()) return false;
    return true;
  }));
  for (auto& end : ends) EXPECT_EQ(end->received, text);
  EXPECT_GT(ring->counters().without_buffer, 0U) << "the shortage this test is about did not happen";
}

TEST(Stream, ABusyStreamDoesNotKeepTheOnlyBufferFromAQuietOne) {
  auto ring = enabled_ring({.buffer_count = 1, .buffer_size = 1024});
  std::vector<Fd> busy_far;
  std::vector<std::unique_ptr<Endpoint>> busy;
  std::string flood = pattern(200'000);
  for (int i = 0; i < 3; i++) {
    auto [near, far] = tcp_pair();
    ASSERT_GT(write(far.get(), flood.data(), flood.size()), 100'000);
    busy_far.push_back(std::move(far));
    busy.push_back(std::make_unique<Endpoint>(*ring, std::move(near)));
  }
  auto [near, far] = tcp_pair();
  ASSERT_EQ(write(far.get(), "hello", 5), 5);
  Endpoint quiet(*ring, std::move(near));
  EXPECT_TRUE(run_until(*ring, [&] { return quiet.received == "hello"; }));
  EXPECT_LT(busy[0]->received.size(), 20'000U) << "the quiet stream had to wait for the busy ones to finish";
}

TEST(Stream, GoesOnSendingAfterThePeersEnd) {
  auto ring = enabled_ring();
  auto [near, far] = tcp_pair();
  Endpoint end(*ring, std::move(near));
  shutdown(far.get(), SHUT_WR);
  ASSERT_TRUE(run_until(*ring, [&] { return end.ended; }));
  end.say("still here");
  end.stream.shutdown_write();
  ASSERT_TRUE(run_until(*ring, [&] { return !end.stream.sending(); }));
  EXPECT_EQ(read_all(far.get()), "still here");
  EXPECT_FALSE(end.error);
  EXPECT_TRUE(end.stream.open());
}

TEST(Stream, GoesOnReceivingAfterItsOwnEnd) {
  auto ring = enabled_ring();
  auto [near, far] = tcp_pair();
  Endpoint end(*ring, std::move(near));
  end.say("request");
  end.stream.shutdown_write();
  ASSERT_TRUE(run_until(*ring, [&] { return end.stream.write_shut(); }));
  EXPECT_EQ(read_all(far.get()), "request");
  ASSERT_EQ(write(far.get(), "response", 8), 8);
  far.reset();
  ASSERT_TRUE(run_until(*ring, [&] { return end.ended; }));
  EXPECT_EQ(end.received, "response");
  EXPECT_FALSE(end.error);
}

TEST(Stream, ShutdownWaitsForEverythingHandedOver) {
  auto ring = enabled_ring();
  auto [near, far] = tcp_pair();
  Endpoint end(*ring, std::move(near));
  std::string text = pattern(8'000'000);
  end.say(text);
  end.stream.shutdown_write();
  EXPECT_FALSE(end.stream.write_shut());
  std::string got;
  std::thread reader([&, fd = far.get()] { got = read_all(fd); });
  EXPECT_TRUE(run_until(*ring, [&] { return end.stream.write_shut(); }));
  reader.join();
  EXPECT_EQ(got, text);
}

TEST(Stream, TellsOfThePeersResetAndWhoseSideItWas) {
  auto ring = enabled_ring();
  auto [near, far] = tcp_pair();
  Endpoint end(*ring, std::move(near));
  run_for(*ring, 10 * kMillisecond_ns);
  reset_by_peer(far);
  ASSERT_TRUE(run_until(*ring, [&] { return end.closed; }));
  ASSERT_TRUE(end.error);
  EXPECT_EQ(end.error->code, ECONNRESET);
  EXPECT_EQ(end.error->side, Side::Client);
  EXPECT_FALSE(end.ended) << "a reset is not an end";
}

TEST(Stream, DeliversAnAnswerThatCameBeforeTheReset) {
  auto ring = enabled_ring();
  auto [near, far] = tcp_pair();
  Endpoint end(*ring);
  end.stream.pause_receive();
  end.stream.open(std::move(near));
  ASSERT_EQ(write(far.get(), "413 too large", 13), 13);
  reset_by_peer(far);
  end.say("a body that nobody wants");
  run_for(*ring, 100 * kMillisecond_ns);
  EXPECT_FALSE(end.error);
  end.stream.resume_receive();
  ASSERT_TRUE(run_until(*ring, [&] { return end.closed; }));
  EXPECT_EQ(end.received, "413 too large");
  EXPECT_TRUE(end.error);
  EXPECT_FALSE(end.ended);
}

TEST(Stream, ResetIsSeenByThePeerAsAReset) {
  auto ring = enabled_ring();
  auto [near, far] = tcp_pair();
  Endpoint end(*ring, std::move(near));
  run_for(*ring, 10 * kMillisecond_ns);
  end.stream.reset();
  ASSERT_TRUE(run_until(*ring, [&] { return end.closed; }));
  char byte = 0;
  EXPECT_EQ(read(far.get(), &byte, 1), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST(Stream, CloseIsSeenByThePeerAsAnEnd) {
  auto ring = enabled_ring();
  auto [near, far] = tcp_pair();
  Endpoint end(*ring, std::move(near));
  end.stream.close();
  ASSERT_TRUE(run_until(*ring, [&] { return end.closed; }));
  char byte = 0;
  EXPECT_EQ(read(far.get(), &byte, 1), 0);
}

TEST(Stream, ClosesWithASendAndAReceiveInFlight) {
  auto ring = enabled_ring();
  auto [near, far] = tcp_pair();
  Endpoint end(*ring, std::move(near));
  end.say(pattern(8'000'000));
  run_for(*ring, 50 * kMillisecond_ns);
  ASSERT_TRUE(end.stream.sending());
  EXPECT_EQ(ring->in_flight(), 2U);
  end.stream.close();
  EXPECT_FALSE(end.closed) << "the kernel still uses its memory";
  ASSERT_TRUE(run_until(*ring, [&] { return end.closed; }));
  EXPECT_EQ(ring->in_flight(), 0U);
}

TEST(Stream, ClosesBeforeTheKernelHasSeenItsFirstReceive) {
  auto ring = enabled_ring();
  auto [near, far] = tcp_pair();
  Endpoint end(*ring, std::move(near));
  end.stream.close();
  EXPECT_TRUE(run_until(*ring, [&] { return end.closed; }));
}

TEST(Stream, ClosingFromWithinACallbackIsSafeAndTheLastCallIsOnClosed) {
  auto ring = enabled_ring();
  auto [near, far] = tcp_pair();
  Endpoint end(*ring, std::move(near));
  end.when_received = [&] {
    end.stream.reset();
    EXPECT_FALSE(end.closed);
  };
  ASSERT_EQ(write(far.get(), "x", 1), 1);
  EXPECT_TRUE(run_until(*ring, [&] { return end.closed; }));
  EXPECT_FALSE(end.ended);
  EXPECT_FALSE(end.error);
}

// The kernel gives the lowest free number to the next descriptor: a completion of the old connection must never be
// taken for one of the new connection that got its number.
TEST(Stream, AnOldCompletionNeverReachesTheNewOwnerOfTheDescriptorNumber) {
  auto ring = enabled_ring();
  auto [near, far] = tcp_pair();
  auto old = std::make_unique<Endpoint>(*ring, std::move(near));
  int number = old->stream.fd();
  run_for(*ring, 10 * kMillisecond_ns);
  old->stream.close();
  ASSERT_EQ(write(far.get(), "for the old one", 15), 15);
  ASSERT_TRUE(run_until(*ring, [&] { return old->closed; }));

  auto [fresh, fresh_far] = tcp_pair();
  if (fresh.get() != number) fresh = Fd(dup3(fresh.get(), number, O_CLOEXEC));
  ASSERT_EQ(fresh.get(), number);
  Endpoint next(*ring, std::move(fresh));
  old.reset();
  run_for(*ring, 50 * kMillisecond_ns);
  EXPECT_EQ(next.received, "");
  EXPECT_FALSE(next.error);
  ASSERT_EQ(write(fresh_far.get(), "for the new one", 15), 15);
  EXPECT_TRUE(run_until(*ring, [&] { return !next.received.empty(); }));
  EXPECT_EQ(next.received, "for the new one");
}

TEST(Stream, CanBeOpenedAgainAfterItWasClosed) {
  auto ring = enabled_ring();
  auto [first, first_far] = tcp_pair();
  Endpoint end(*ring, std::move(first));
  end.stream.close();
  ASSERT_TRUE(run_until(*ring, [&] { return end.closed; }));
  auto [second, second_far] = tcp_pair();
  end.stream.open(std::move(second));
  ASSERT_EQ(write(second_far.get(), "again", 5), 5);
  EXPECT_TRUE(run_until(*ring, [&] { return end.received == "again"; }));
}

}  // namespace
}  // namespace waylay::io
