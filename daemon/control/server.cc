#include "control/server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/check.h"
#include "base/log.h"

namespace waylay::control {
namespace {

constexpr size_t kReceive = 64 * 1024;

std::string peer_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return "uid=? pid=?";
  return "uid=" + std::to_string(credentials.uid) + " pid=" + std::to_string(credentials.pid);
}

Result<void> set_nonblocking(int fd) {
  int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return fail(posix_error(errno, "the API's socket"));
  return {};
}

}  // namespace

struct ApiServer::Client {
  Client(Fd descriptor, Context& context, Time now)
      : fd(std::move(descriptor)), connection(context, peer_of(fd.get()), now) {}
  Fd fd;
  Connection connection;
  bool gone = false;
};

ApiServer::ApiServer(Backend& backend) : context_{backend, feed_}, stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CHECK(stop_);
}

ApiServer::~ApiServer() {
  stop();
}

Result<void> ApiServer::start(Fd listener) {
  CHECK(!thread_.joinable());
  if (Result<void> nonblocking = set_nonblocking(listener.get()); !nonblocking) return fail(nonblocking);
  listener_ = std::move(listener);
  thread_ = std::thread([this] { serve(); });
  return {};
}

void ApiServer::stop() {
  if (!thread_.joinable()) return;
  uint64_t one = 1;
  ssize_t written = ::write(stop_.get(), &one, sizeof one);
  CHECK(written == sizeof one);
  thread_.join();
  clients_.clear();
  listener_.reset();
}

void ApiServer::publish(Event event) {
  feed_.publish(std::move(event));
}

void ApiServer::publish(const flow::ExchangeFacts& exchange) {
  if (feed_.has_listeners()) feed_.publish(std::make_shared<const flow::ExchangeFacts>(exchange));
}

void ApiServer::serve() {
  enum { Stop, Events, Listener, FirstClient };
  std::vector<pollfd> polled;
  for (;;) {
    polled = {{stop_.get(), POLLIN, 0}, {feed_.wake_descriptor(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const auto& [fd, client] : clients_) {
      short wanted = 0;
      if (client->connection.wants_bytes()) wanted |= POLLIN;
      if (!client->connection.at_eof()) wanted |= POLLRDHUP;
      if (!client->connection.output().empty()) wanted |= POLLOUT;
      polled.push_back({fd, wanted, 0});
    }
    int ready = ::poll(polled.data(), polled.size(), poll_timeout_ms(now().steady_ns));
    if (ready < 0 && errno != EINTR) return log::error("api error=" + log::quoted(posix_error(errno, "poll").message));
    if (ready < 0) continue;
    if (polled[Stop].revents != 0) return;
    if (polled[Events].revents != 0) feed_.deliver();
    for (size_t i = FirstClient; i < polled.size(); ++i) settle(*clients_.at(polled[i].fd), polled[i].revents);
    std::erase_if(clients_, [](const auto& entry) { return entry.second->gone; });
    if (polled[Listener].revents != 0) accept_client();
  }
}

// Does what a client's descriptor allows, then what its connection wants.
void ApiServer::settle(Client& client, short events) {
  if ((events & (POLLERR | POLLHUP | POLLNVAL)) != 0 && (events & POLLIN) == 0) client.gone = true;
  // A peer that has shut its side down is answered still; one that closed wholly shows as POLLHUP.
  if (!client.gone && client.connection.wants_bytes() && (events & POLLIN) != 0) receive(client);
  if (!client.gone && !client.connection.wants_bytes() && (events & POLLRDHUP) != 0) client.connection.on_eof(now());
  if (client.gone) return;
  Time time = now();
  client.connection.on_events(time);
  client.connection.on_time(time);
  if (!send(client) || client.connection.finished()) client.gone = true;
}

void ApiServer::receive(Client& client) {
  std::byte buffer[kReceive];
  ssize_t size = ::recv(client.fd.get(), buffer, sizeof buffer, 0);
  if (size > 0) return client.connection.on_bytes({buffer, static_cast<size_t>(size)}, now());
  if (size == 0) return client.connection.on_eof(now());
  if (errno != EAGAIN && errno != EINTR) client.gone = true;
}

bool ApiServer::send(Client& client) {
  ByteQueue& output = client.connection.output();
  while (!output.empty()) {
    ssize_t size = ::send(client.fd.get(), output.bytes().data(), output.size(), MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno == EAGAIN;
    client.connection.on_sent(static_cast<size_t>(size), now());
  }
  return true;
}

void ApiServer::accept_client() {
  Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd) return;
  if (clients_.size() >= kMaximumConnections) {
    std::string busy = http::compose_response(
        503, "Service Unavailable", {{"Content-Type", "application/json"}, {"Connection", "close"}},
        "{\"error\":{\"kind\":\"limit\",\"message\":\"64 connections are open already\"}}\n");
    // Best effort: the buffer of a new socket has room for it, and who does not read it is refused all the same.
    if (::send(fd.get(), busy.data(), busy.size(), MSG_NOSIGNAL) < 0) return;
    return;
  }
  int key = fd.get();
  clients_.emplace(key, std::make_unique<Client>(std::move(fd), context_, now()));
}

int ApiServer::poll_timeout_ms(int64_t now_ns) const {
  std::optional<int64_t> earliest;
  for (const auto& [fd, client] : clients_) {
    std::optional<int64_t> deadline = client->connection.deadline_ns();
    if (deadline && (!earliest || *deadline < *earliest)) earliest = deadline;
  }
  if (!earliest) return -1;
  return static_cast<int>(std::clamp<int64_t>((*earliest - now_ns) / kMillisecond_ns + 1, 0, 60'000));
}

}  // namespace waylay::control
