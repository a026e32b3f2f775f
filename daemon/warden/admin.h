// The administrators' socket, RUNTIME/warden.sock: one JSON line in, one out, at most 64 KiB, then the connection
// closes.
//
//   {"verb":"attach","target":"docker:NAME|NAME|pid:N|cgroup:PATH","ports":[443],"insist":false,"trust":true,
//    "tree":false,"redirect_loopback":false}
//        -> {"ok":true,"target":{...},"notes":["..."]}
//   {"verb":"detach","target":"..."|"all":true,"now":false}      -> {"ok":true,"detached":["docker:web"]}
//   {"verb":"run","pid":CHILD,"ports":...,"insist":...}          ->
//   {"ok":true,"target":{...},"environment":{"SSL_CERT_FILE":"..."}}
//   {"verb":"targets"}   -> {"ok":true,"targets":[{...,"state":"attached|ended","note":"restarted, not intercepted"}]}
//   {"verb":"trust","target":"..."}   -> {"ok":true,"summary":"...","notes":["..."]}; without a target, the paths to
//   set by hand
//   {"verb":"ca"}        -> {"ok":true,"path":"...","pem":"..."}
//   {"verb":"ping"}      -> {"ok":true,"pid":1234,"version":"0.1.0","attach":"available"}
// A failure is {"ok":false,"error":{"kind":"not_found","message":"..."}} and has changed nothing.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/handle.h"
#include "base/result.h"
#include "warden/attachments.h"
#include "warden/job_thread.h"

namespace waylay::warden {

constexpr size_t kMaximumRequest = size_t{64} * 1024;

struct Peer {
  pid_t pid = 0;
  uid_t user = 0;
  gid_t group = 0;
};
// By SO_PEERCRED and SO_PEERGROUPS: root, or a member of the group (-1: there is none).
Result<Peer> authorise(int connection, gid_t group);

struct Request {
  enum class Verb { Attach, Detach, Run, Targets, Trust, Ca, Ping };
  Verb verb = Verb::Ping;
  std::string target;
  AttachOptions options;
  bool all = false, now = false;
  pid_t child = 0;
};
Result<Request> parse_request(std::string_view line);

std::string error_answer(const Error& error);

// Collects request lines on the loop's thread; whole ones are answered elsewhere (Dispatcher).
class AdminConnections {
 public:
  // Makes the socket, mode 0660 (0600 without a group).
  static Result<Fd> listen(const std::string& path, gid_t group);

  using Handle = std::function<void(Fd connection, const Peer& peer, const std::string& line)>;
  AdminConnections(Fd listener, gid_t group, EventSource& events, uint64_t first_key, Handle handle);

  bool owns(uint64_t key) const { return key >= first_key_; }
  void on_event(uint64_t key);
  void expire();  // drops whoever has sent no whole line for ten seconds; call every few seconds

  void close() { listener_.reset(), open_.clear(); }

 private:
  struct Connection {
    Fd fd;
    Peer peer;
    std::string received;
    int64_t since_ns = 0;
  };
  void accept();
  void read(uint64_t key);

  Fd listener_;
  gid_t group_;
  EventSource& events_;
  uint64_t first_key_, next_key_;
  Handle handle_;
  std::map<uint64_t, Connection> open_;
};

// Answers requests: what changes something on the working thread, questions on the inquiry thread.
class Dispatcher {
 public:
  struct Parts {
    Attachments& attachments;
    Trust& trust;
    JobThread& working;
    JobThread& inquiries;
    std::vector<std::string> docker_sockets;
    std::optional<kernel::CgroupTree> cgroups;
    std::string ca_pem;
    std::string unavailable;  // why nothing can be attached; empty: it can
  };
  explicit Dispatcher(Parts parts) : parts_(std::move(parts)) {}

  void dispatch(Fd connection, const Peer& peer, const std::string& line);

 private:
  std::string answer(const Request& request, const Peer& peer);
  std::string attach(const Request& request);
  std::string detach(const Request& request);
  std::string run(const Request& request, const Peer& peer);
  std::string targets();
  std::string trust(const Request& request);
  std::string ended_note(const ListedTarget& listed, const std::vector<ListedTarget>& all);

  Parts parts_;
};

}  // namespace waylay::warden
