// The API over a real Unix socket.
#include "control/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "fake_backend.h"

namespace waylay::control {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Server : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/waylay-api-test-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    directory = name;
    address.sun_family = AF_UNIX;
    (directory + "/s").copy(address.sun_path, sizeof address.sun_path - 1);
    Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(listener.get(), sockaddr_of(), sizeof address), 0);
    ASSERT_EQ(::listen(listener.get(), 128), 0);
    ASSERT_TRUE(server.start(std::move(listener)));
  }
  void TearDown() override {
    server.stop();
    ::unlink(address.sun_path);
    ::rmdir(directory.c_str());
  }

  const sockaddr* sockaddr_of() const { return reinterpret_cast<const sockaddr*>(&address); }

  Fd connect() {
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(fd.get(), sockaddr_of(), sizeof address), 0);
    timeval patience{10, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
  }

  static void send(const Fd& fd, std::string_view text) {
    ASSERT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  // Until the end of the stream, or until `words` were seen.
  static std::string receive(const Fd& fd, std::string_view words = {}) {
    std::string all;
    char buffer[65536];
    for (ssize_t size; (size = ::recv(fd.get(), buffer, sizeof buffer, 0)) > 0;) {
      all.append(buffer, static_cast<size_t>(size));
      if (!words.empty() && all.find(words) != std::string::npos) return all;
    }
    return all;
  }
  std::string ask(const std::string& target) {
    Fd fd = connect();
    send(fd, "GET " + target + " HTTP/1.1\r\nHost: waylay\r\nConnection: close\r\n\r\n");
    return receive(fd);
  }

  std::string directory;
  sockaddr_un address{};
  FakeBackend backend;
  ApiServer server{backend};
};

TEST_F(Server, AnswersSeveralRequestsOnOneConnection) {
  Fd fd = connect();
  for (int i = 0; i < 3; ++i) {
    send(fd, "GET /v1/version HTTP/1.1\r\nHost: waylay\r\n\r\n");
    EXPECT_THAT(receive(fd, "\"api\":1"), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
}

TEST_F(Server, AnswersManyClientsAndRefusesTooMany) {
  std::vector<Fd> clients;
  for (size_t i = 0; i < ApiServer::kMaximumConnections; ++i) {
    clients.push_back(connect());
    send(clients.back(), "GET /v1/version HTTP/1.1\r\nHost: waylay\r\n\r\n");
    EXPECT_THAT(receive(clients.back(), "\"api\":1"), StartsWith("HTTP/1.1 200 OK"));
  }
  EXPECT_THAT(receive(connect()), StartsWith("HTTP/1.1 503"));
  clients.clear();
  std::string answer;
  for (int i = 0; i < 500 && !answer.starts_with("HTTP/1.1 200"); ++i) answer = ask("/v1/version");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
}

TEST_F(Server, StreamsWhatHappens) {
  Fd fd = connect();
  send(fd, "GET /v1/exchanges?follow=true HTTP/1.1\r\nHost: waylay\r\n\r\n");
  receive(fd, "\r\n\r\n");
  backend.add_exchange(5, "live.example", 200);
  server.publish(*backend.kept_exchanges.back());
  EXPECT_THAT(receive(fd, "live.example"), HasSubstr("\"id\":5"));
}

TEST_F(Server, SurvivesClientsThatGoAwayInTheMiddle) {
  for (uint64_t id = 1; id <= 3000; ++id) backend.add_exchange(id, "a.example", 200);
  for (int i = 0; i < 20; ++i) {
    Fd reading = connect(), asking = connect(), following = connect();
    send(reading, "GET /v1/exchanges?limit=3000 HTTP/1.1\r\nHost: waylay\r\n\r\n");
    send(asking, "GET /v1/exch");
    send(following, "GET /v1/exchanges?follow=true HTTP/1.1\r\nHost: waylay\r\n\r\n");
    receive(following, "\r\n\r\n");
  }
  EXPECT_THAT(ask("/v1/version"), StartsWith("HTTP/1.1 200"));
}

TEST_F(Server, AnswersWhoHasShutItsSideDown) {
  Fd fd = connect();
  send(fd, "GET /v1/status HTTP/1.1\r\nHost: waylay\r\n\r\n");
  ASSERT_EQ(::shutdown(fd.get(), SHUT_WR), 0);
  EXPECT_THAT(receive(fd), HasSubstr("docker:web"));
}

TEST_F(Server, StopsWithClientsConnected) {
  Fd idle = connect(), following = connect();
  send(following, "GET /v1/exchanges?follow=true HTTP/1.1\r\nHost: waylay\r\n\r\n");
  receive(following, "\r\n\r\n");
  server.stop();
  EXPECT_EQ(receive(following), "");
  EXPECT_EQ(receive(idle), "");
}

}  // namespace
}  // namespace waylay::control
