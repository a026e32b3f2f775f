// The proxy's end of the control channel (warden/protocol.h): targets come and go, and the warden learns when all
// workers have carried that out. Lives in the proxy's main thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "io/mailbox.h"
#include "io/message_socket.h"
#include "io/ring.h"
#include "proxy/target_table.h"
#include "proxy/worker.h"

namespace waylay::proxy {

class ControlChannel final : private io::MessageSocket::Owner {
 public:
  using Workers = std::vector<std::unique_ptr<Worker>>;

  // `answers` brings what workers report into this thread. All are borrowed. `reload_rules` is for the warden's SIGHUP.
  ControlChannel(io::Ring& ring, io::Mailbox& answers, Workers& workers, TargetTable& targets,
                 std::function<void()> reload_rules);

  void open(Fd fd);                        // says Ready
  bool closed() const { return closed_; }  // the warden said Stop, or is gone

  // Listeners in the protocol's order: one of all workers, then, if there is a second family, one of all workers again.
  void add(const std::shared_ptr<const Target>& target, std::vector<Fd> listeners);

 private:
  enum class Wish { Accept, Drain };
  struct Unanswered {
    Wish wish = Wish::Accept;
    size_t workers = 0;
  };

  void on_message(io::MessageSocket& socket, Bytes bytes, std::vector<Fd> descriptors) override;
  void on_lost(io::MessageSocket& socket, Error error) override;
  void on_closed(io::MessageSocket& socket) override;
  void handle(warden::Message message);
  void add_target(warden::Message message);
  void remove_target(const warden::Message& message);
  void carried_out(uint32_t target, Wish wish);
  void tell(warden::MessageType type, uint32_t target);
  void stop(std::string_view why);

  io::Ring& ring_;
  io::Mailbox& answers_;
  Workers& workers_;
  TargetTable& targets_;
  const std::function<void()> reload_rules_;
  io::MessageSocket socket_;
  std::map<uint32_t, Unanswered> unanswered_;  // the last wish for a target
  bool closed_ = false;
};

}  // namespace waylay::proxy
