// A worker's channel to the warden: questions out, answers in (warden/protocol.h, "Worker channel").
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/handle.h"
#include "base/result.h"
#include "io/message_socket.h"
#include "warden/protocol.h"

namespace waylay::proxy {

class WardenLink final : private io::MessageSocket::Owner {
 public:
  // Called from Ring::run_once().
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_signature(uint64_t id, Result<std::string> signature) = 0;
    virtual void on_sockets(uint32_t target, Family family, Result<std::vector<Fd>> sockets) = 0;
    virtual void on_process(uint64_t id, std::optional<warden::ProcessInfo> process) = 0;  // none: it is gone
    virtual void on_warden_lost(Error error) = 0;  // no answer will come any more
  };

  WardenLink(io::Ring& ring, Owner& owner) : socket_(ring, *this), owner_(owner) {}

  void open(Fd channel) { socket_.open(std::move(channel)); }
  void close() { socket_.close(); }
  bool closed() const { return closed_; }  // may be destroyed

  Result<void> ask_signature(uint64_t id, Bytes tbs);
  Result<void> ask_sockets(uint32_t target, Family family, size_t count);
  Result<void> ask_process(uint64_t id, uint32_t target, uint32_t pid, uint64_t cgroup_id);

 private:
  void on_message(io::MessageSocket& socket, Bytes bytes, std::vector<Fd> descriptors) override;
  void on_lost(io::MessageSocket& socket, Error error) override;
  void on_closed(io::MessageSocket& socket) override;
  Result<void> ask(const warden::Header& header, std::string_view payload);
  void handle(warden::Message message);
  void handle_sockets(warden::Message message);
  void handle_process(const warden::Message& message);

  io::MessageSocket socket_;
  Owner& owner_;
  bool closed_ = false;
};

}  // namespace waylay::proxy
