// Serves the proxy's workers: signatures and sockets at once on this thread, questions about processes on a second one.
// Neither waits for an attach. What comes in is from a process that may have been taken over: bounded, checked, and a
// broken message ends the proxy.
#pragma once

#include <functional>
#include <thread>
#include <vector>

#include "base/handle.h"
#include "warden/authority.h"
#include "warden/job_thread.h"
#include "warden/process_directory.h"
#include "warden/protocol.h"
#include "warden/socket_source.h"

namespace waylay::warden {

class WorkerService {
 public:
  // `on_broken` is called on the service's thread, with the reason. All references must outlive the service.
  WorkerService(std::vector<Fd> channels, Authority& authority, SocketSource& sockets, ProcessDirectory& processes,
                JobThread& inquiries, std::function<void(const Error&)> on_broken);
  ~WorkerService() { stop(); }

  void stop();  // waits for the thread; the channels close with it

 private:
  void run();
  void serve(size_t channel);
  void answer(int channel, const Message& message);
  void sign(int channel, const Message& message);
  void make_sockets(int channel, const Message& message);
  void ask_for_process(int channel, const Message& message);

  std::vector<Fd> channels_;
  Authority& authority_;
  SocketSource& sockets_;
  ProcessDirectory& processes_;
  JobThread& inquiries_;
  std::function<void(const Error&)> on_broken_;
  Fd epoll_, stop_event_;
  std::thread thread_;
};

}  // namespace waylay::warden
