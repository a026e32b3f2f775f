#include "proxy/connection.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <random>

#include "unit/proxy/support.h"

namespace waylay::proxy {
namespace {

using namespace testing;

// Not TLS, so it is passed through.
constexpr std::string_view kGreeting = "EHLO not a ClientHello at all\r\n";

std::string pattern(size_t size) {
  std::string text(size, ' ');
  std::mt19937 random(5);
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

void echo(int number) {
  Fd fd(number);
  char part[65536];
  for (ssize_t n = 0; (n = read(fd.get(), part, sizeof part)) > 0;)
    if (!write_all(fd.get(), {part, static_cast<size_t>(n)})) return;
}

TEST(Connection, PassesOnWhatIsNotTlsAndItsEndsInBothDirections) {
  FakeWarden warden;
  Origin origin([](int number) {
    Fd fd(number);
    std::string all = read_all(fd.get());  // up to the client's FIN
    write_all(fd.get(), "you said: " + all);
  });
  Shell shell(warden);
  std::string answer;
  std::vector<std::thread> clients;
  clients.emplace_back([&, to = shell.address()] {
    Fd fd = connect_to(to);
    write_all(fd.get(), kGreeting);
    shutdown(fd.get(), SHUT_WR);
    answer = read_all(fd.get());
  });
  shell.serve(origin.address(), std::move(clients));
  EXPECT_EQ(answer, "you said: " + std::string(kGreeting));
  EXPECT_EQ(shell.outcomes, (std::vector{flow::Outcome::PassedThrough}));
}

TEST(Connection, CarriesMegabytesUnchanged) {
  FakeWarden warden;
  Origin origin(echo);
  Shell shell(warden);
  std::string text = std::string(kGreeting) + pattern(9'000'000), answer;
  std::vector<std::thread> clients;
  clients.emplace_back([&, to = shell.address()] {
    Fd fd = connect_to(to);
    std::thread writer([&] {
      write_all(fd.get(), text);
      shutdown(fd.get(), SHUT_WR);
    });
    answer = read_all(fd.get());
    writer.join();
  });
  shell.serve(origin.address(), std::move(clients));
  EXPECT_TRUE(answer == text) << answer.size() << " of " << text.size() << " bytes";
}

TEST(Connection, HoldsAnUpstreamBackWhenTheClientDoesNotRead) {
  FakeWarden warden;
  std::atomic<size_t> written{0};
  std::string flood = pattern(64 * 1024);
  Origin origin([&](int number) {
    Fd fd(number);
    for (int i = 0; i < 2048; i++) {
      if (!write_all(fd.get(), flood)) return;
      written += flood.size();
    }
  });
  Shell shell(warden);
  Fd client = connect_to(shell.address());
  int small = 64 * 1024;
  setsockopt(client.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  shell.accept(origin.address());
  write_all(client.get(), kGreeting);
  size_t before = 0;
  do {  // until nothing has moved for a while
    before = written;
    shell.run_for(300 * kMillisecond_ns);
  } while (written != before || written == 0);
  EXPECT_LT(written, 64U * 1024 * 1024) << "all of it is somewhere in memory";
}

TEST(Connection, ResetsTheClientWhenTheUpstreamRefuses) {
  FakeWarden warden;
  Shell shell(warden);
  Address nobody;
  {
    Fd listening = listen_on_loopback();
    nobody = address_of(listening.get());
  }
  std::string answer;
  std::vector<std::thread> clients;
  clients.emplace_back([&, to = shell.address()] {
    Fd fd = connect_to(to);
    write_all(fd.get(), kGreeting);
    answer = read_all(fd.get());
  });
  shell.serve(nobody, std::move(clients));
  EXPECT_EQ(answer, "[Connection reset by peer]");
  EXPECT_EQ(shell.records.last_flow()->reason.find("Connection refused") == std::string::npos, false)
      << shell.records.last_flow()->reason;
}

TEST(Connection, AClientsResetReachesTheUpstreamAndNothingIsLeft) {
  FakeWarden warden;
  Shell shell(warden);
  std::string seen;
  {
    Origin origin([&](int number) {
      Fd fd(number);
      seen = read_all(fd.get());
    });
    Fd client = connect_to(shell.address());
    shell.accept(origin.address());
    write_all(client.get(), kGreeting);
    ASSERT_TRUE(shell.run_until([&] { return origin.connections == 1; }));
    shell.run_for(50 * kMillisecond_ns);
    linger hard{.l_onoff = 1, .l_linger = 0};
    setsockopt(client.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    client.reset();
    EXPECT_TRUE(shell.run_until([&] { return shell.connections() == 0; }));
  }
  EXPECT_EQ(seen, std::string(kGreeting) + "[Connection reset by peer]");
}

TEST(Connection, TheFlowLearnsWhoMadeTheConnection) {
  FakeWarden warden;
  Origin origin(echo);
  Shell shell(warden);
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; i++) {
    clients.emplace_back([to = shell.address()] {
      Fd fd = connect_to(to);
      write_all(fd.get(), kGreeting);
      shutdown(fd.get(), SHUT_WR);
      read_all(fd.get());
    });
  }
  shell.serve(origin.address(), std::move(clients));
  EXPECT_EQ(shell.records.last_flow()->owner.exe, "/usr/bin/job");
  EXPECT_EQ(shell.records.last_flow()->owner.container_name, "worker-1");
  EXPECT_EQ(warden.process_questions, 1) << "the same process within seconds is asked about once";
}

TEST(Connection, ManyAtOnceShareASmallStockOfSockets) {
  FakeWarden warden;
  Origin origin(echo);
  Shell shell(warden);
  std::atomic<int> served{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 100; i++) {
    clients.emplace_back([&, to = shell.address()] {
      Fd fd = connect_to(to);
      write_all(fd.get(), kGreeting);
      shutdown(fd.get(), SHUT_WR);
      if (read_all(fd.get()) == kGreeting) served++;
    });
  }
  shell.serve(origin.address(), std::move(clients));
  EXPECT_EQ(served, 100);
  EXPECT_LE(warden.largest_question, 32);
  EXPECT_LE(warden.sockets_given, 100 + 32);
}

TEST(Connection, AWardenThatGivesNoSocketsIsTheClientsReset) {
  FakeWarden warden;
  warden.refuses_sockets = true;
  Origin origin(echo);
  Shell shell(warden);
  std::string answer;
  std::vector<std::thread> clients;
  clients.emplace_back([&, to = shell.address()] {
    Fd fd = connect_to(to);
    write_all(fd.get(), kGreeting);
    answer = read_all(fd.get());
  });
  shell.serve(origin.address(), std::move(clients));
  EXPECT_EQ(answer, "[Connection reset by peer]");
  EXPECT_NE(shell.records.last_flow()->reason.find("Too many open files"), std::string::npos)
      << shell.records.last_flow()->reason;
}

TEST(Connection, WhoWaitsForTheWardenIsNotForgottenWhenItDies) {
  FakeWarden warden;
  Origin origin(echo);
  Shell shell(warden);
  warden.leave();
  std::string answer;
  std::vector<std::thread> clients;
  clients.emplace_back([&, to = shell.address()] {
    Fd fd = connect_to(to);
    write_all(fd.get(), kGreeting);
    answer = read_all(fd.get());
  });
  shell.serve(origin.address(), std::move(clients));
  EXPECT_EQ(answer, "[Connection reset by peer]");
}

constexpr std::string_view kRequest = "GET /a HTTP/1.1\r\nHost: www.example.org\r\nConnection: close\r\n\r\n";
constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\ncontent-Length: 5\r\nX-Odd-Case: kept\r\nConnection: close\r\n\r\nhello";

std::string https_answer(Shell& shell, const FakeWarden& warden, const Address& destination) {
  std::string answer;
  std::vector<std::thread> clients;
  clients.emplace_back(
      [&, to = shell.address()] { answer = https_get(to, "www.example.org", warden.ca_pem(), std::string(kRequest)); });
  shell.serve(destination, std::move(clients));
  return answer;
}

TEST(Connection, InterceptsHttpsAndLeavesTheResponseByteForByte) {
  FakeWarden warden;
  TlsOrigin origin("www.example.org", std::string(kResponse));
  Shell shell(warden, origin.root_pem());
  std::string answer = https_answer(shell, warden, origin.address());
  EXPECT_EQ(answer, kResponse);
  EXPECT_EQ(shell.outcomes, (std::vector{flow::Outcome::Intercepted}));
  ASSERT_EQ(shell.records.exchanges().size(), 1U);
  EXPECT_EQ(shell.records.exchanges()[0]->status, 200);
  EXPECT_EQ(shell.records.exchanges()[0]->host, "www.example.org");
}

TEST(Connection, SimultaneousClientsOfOneNameShareOneSignature) {
  FakeWarden warden;
  TlsOrigin origin("www.example.org", std::string(kResponse));
  Shell shell(warden, origin.root_pem());
  std::atomic<int> served{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 20; i++) {
    clients.emplace_back([&, to = shell.address()] {
      if (https_get(to, "www.example.org", warden.ca_pem(), std::string(kRequest)) == kResponse) served++;
    });
  }
  shell.serve(origin.address(), std::move(clients));
  EXPECT_EQ(served, 20);
  EXPECT_EQ(warden.signatures, 1);
}

TEST(Connection, AnUntrustedUpstreamIsNeverShownAsTrusted) {
  FakeWarden warden;
  TlsOrigin origin("www.example.org", std::string(kResponse));
  Shell shell(warden);  // without the origin's root
  std::string answer = https_answer(shell, warden, origin.address());
  EXPECT_EQ(answer.front(), '[') << answer;
  EXPECT_EQ(origin.requests, 0);
  EXPECT_EQ(warden.signatures, 0);
}

TEST(Connection, ARuleAnswersThoughTheUpstreamIsUnreachable) {
  FakeWarden warden;
  Shell shell(warden);
  auto added = shell.rules.add(
      R"({"name": "mock", "match": "http.host == \"www.example.org\"", "respond": {"status": 418, "body": "short and stout"}})",
      "test", now());
  ASSERT_TRUE(added) << added.error().message;
  Address nobody;
  {
    Fd listening = listen_on_loopback();
    nobody = address_of(listening.get());
  }
  std::string answer = https_answer(shell, warden, nobody);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 418")) << answer;
  EXPECT_TRUE(answer.ends_with("short and stout")) << answer;
}

TEST(Connection, ARuleOnTheProcessWaitsUntilItIsKnown) {
  FakeWarden warden;
  warden.process_delay_ns = 100 * kMillisecond_ns;
  TlsOrigin origin("www.example.org", std::string(kResponse));
  Shell shell(warden, origin.root_pem());
  auto added =
      shell.rules.add(R"({"name": "job", "match": "proc.exe == \"/usr/bin/job\"", "block": true})", "test", now());
  ASSERT_TRUE(added) << added.error().message;
  std::string answer = https_answer(shell, warden, origin.address());
  EXPECT_EQ(answer.front(), '[') << answer;
  EXPECT_EQ(shell.records.last_flow()->reason, "blocked by rule job");
  EXPECT_EQ(origin.requests, 0);
}

TEST(Connection, AWardenThatDoesNotSayWhoItIsHoldsNobodyUp) {
  FakeWarden warden;
  warden.process_delay_ns = flow::kForEver_ns;
  TlsOrigin origin("www.example.org", std::string(kResponse));
  Shell shell(warden, origin.root_pem());
  std::string answer = https_answer(shell, warden, origin.address());
  EXPECT_EQ(answer, kResponse);
  EXPECT_EQ(warden.process_questions, 1);
  EXPECT_EQ(shell.records.last_flow()->owner.exe, "");
}

// Their answers fill the queue to the client within one event, and it goes to the socket whole: what waits for room
// learns of it by the end of that send alone.
TEST(Connection, PipelinedRequestsBehindAFullQueueAreAnsweredOnceItHasGone) {
  FakeWarden warden;
  Shell shell(warden);
  std::string body(60'000, 'x');
  auto added = shell.rules.add(
      R"({"name": "mock", "match": "http.host == \"www.example.org\"", "respond": {"body": ")" + body + R"("}})",
      "test", now());
  ASSERT_TRUE(added) << added.error().message;
  constexpr size_t kRequests = 25;
  std::string requests;
  for (size_t i = 1; i < kRequests; ++i) requests += "GET /a HTTP/1.1\r\nHost: www.example.org\r\n\r\n";
  requests += kRequest;
  std::string answer;
  std::vector<std::thread> clients;
  clients.emplace_back(
      [&, to = shell.address()] { answer = https_get(to, "www.example.org", warden.ca_pem(), requests); });
  shell.serve(shell.address(), std::move(clients));
  EXPECT_EQ(shell.records.exchanges().size(), kRequests);
  EXPECT_GT(answer.size(), kRequests * body.size());
  EXPECT_FALSE(answer.ends_with("[cut]"));
}

}  // namespace
}  // namespace waylay::proxy
