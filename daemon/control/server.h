// The API on its Unix socket: one thread, poll(2). The socket is made by the warden, so that its owner and mode (0660,
// group waylay) are right; who may connect may use all of it.
//
//   ApiServer server(backend);
//   server.start(std::move(listener));       // a listening Unix socket; connections are answered from here on
//   server.publish(facts);                   // from any thread: what subscribers follow
//
// The backend is called on the server's thread and outlives the server. The destructor ends all connections and joins.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <thread>

#include "base/handle.h"
#include "control/backend.h"
#include "control/connection.h"
#include "control/feed.h"

namespace waylay::control {

class ApiServer {
 public:
  static constexpr size_t kMaximumConnections = 64;

  explicit ApiServer(Backend& backend);
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  Result<void> start(Fd listener);
  void stop();  // once; the destructor does it too

  // Any thread, never blocks for long. Exchanges when they end; flows once, when it is decided that they are of the
  // kind is_undecrypted speaks of. A backend's store must have the facts already.
  void publish(Event event);
  void publish(const flow::ExchangeFacts& exchange);  // copied if anybody listens

 private:
  struct Client;
  void serve();
  void accept_client();
  void receive(Client& client);
  bool send(Client& client);  // false: the client is gone
  void settle(Client& client, short events);
  int poll_timeout_ms(int64_t now_ns) const;

  Feed feed_;
  Context context_;
  Fd listener_, stop_;
  std::map<int, std::unique_ptr<Client>> clients_;  // by descriptor
  std::thread thread_;
};

}  // namespace waylay::control
