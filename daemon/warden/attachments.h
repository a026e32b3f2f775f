// The targets: attached wholly or not at all, detached in order, and ended when their last process ends.
//
//      find ──► trust (mounts) ──► listeners (TargetAdded ► TargetReady) ──► redirect (links) = attached
//      ◄──────────────── any failure undoes what was done, in reverse ────────────────
//      detach: links stop ► TargetRemoved ► TargetDrained ► links gone ► mounts ► namespace released
//
// Two threads: attaching and detaching (attach, run, detach, end, sweep) happen one at a time on the working thread and
// may block; the loop's thread tells what it sees (on_...) and never waits for more than a link. list() may be asked by
// any thread. The mutex covers the table and the redirects, never a mount, a wait or a question to the container
// engine.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "kernel/netns.h"
#include "kernel/redirect.h"
#include "warden/process_directory.h"
#include "warden/protocol.h"
#include "warden/run_cgroups.h"
#include "warden/socket_source.h"
#include "warden/targets.h"
#include "warden/trust.h"

namespace waylay::warden {

// Descriptors of targets that the loop waits for; the key comes back to Attachments::on_event(). Closing ends the wait.
class EventSource {
 public:
  virtual ~EventSource() = default;
  virtual Result<void> watch(int fd, uint32_t epoll_events, uint64_t key) = 0;
  virtual void forget(int fd) = 0;  // needed only where a duplicate of the descriptor lives on
};

struct AttachmentParts {
  kernel::RedirectEngine* engine = nullptr;  // null: `unavailable` says why nothing can be attached
  std::optional<kernel::CgroupTree> cgroups;
  std::string unavailable;
  std::vector<std::string> docker_sockets;
  std::string state_directory;
  Trust& trust;
  SocketSource& sockets;
  ProcessDirectory& processes;
  EventSource& events;
  int control = -1;  // the control channel; borrowed
  unsigned workers = 1;
  std::vector<pid_t> excluded;                      // warden and proxy
  std::function<void(std::function<void()>)> post;  // onto the working thread
};

struct Attached {
  uint32_t id = 0;
  TargetInfo info;
  std::string cgroup;
  kernel::Families families;
  std::vector<std::string> notes;
};

struct ListedTarget {
  Attached target;
  bool ended = false;
  int64_t ended_ns = 0;  // wall clock
  std::string reason;    // why it ended
};

class Attachments {
 public:
  explicit Attachments(AttachmentParts parts);
  ~Attachments();

  // --- On the working thread ---
  Result<Attached> attach(const TargetSpec& spec, const AttachOptions& options);
  // Puts `child` into a cgroup of its own below its parent's and attaches that.
  Result<Attached> run(pid_t parent, pid_t child, const AttachOptions& options);
  Result<std::string> detach(const TargetSpec& spec, bool now);  // the name of what was detached
  std::vector<std::string> detach_all(bool now);
  void sweep();  // run cgroups that are empty now

  // --- On the loop's thread ---
  void on_proxy_message(const Message& message);
  // Every redirect ends at once; whoever waits for the proxy is told. What is left is undone by abandon().
  void on_proxy_end();
  void on_event(uint64_t key);
  void close();    // every redirect of new connections ends, and nothing can be attached any more
  void abandon();  // after the working thread has ended: undoes the rest

  // --- On any thread ---
  std::vector<ListedTarget> list() const;
  bool has_run_cgroups() const;

 private:
  struct Target;
  enum class Event : uint32_t { Populated = 1, Process, Routes };

  Result<Attached> attach_found(FoundTarget found, const AttachOptions& options);
  Result<void> check_unattached(const FoundTarget& found) const;
  Result<void> mount_trust(Target& target);
  Result<void> open_listeners(Target& target);
  Result<void> redirect(Target& target);
  Result<void> watch(Target& target);
  void undo(Target& target, bool now, std::string_view why);
  void withdraw_listeners(Target& target, bool now, std::string_view why);
  Result<void> wait_for(uint32_t target, MessageType type, int timeout_ms);
  void detach_target(uint32_t id, bool now, std::string_view why);
  void stop_links();
  void begin_end(Target& target);
  std::string name_of(const TargetSpec& spec) const;
  void remember_ended(const Target& target, std::string_view why);
  void on_routes(Target& target);
  Attached describe(const Target& target) const;
  std::vector<uint32_t> attached_ids() const;

  AttachmentParts parts_;
  RunCgroups run_cgroups_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint32_t, std::unique_ptr<Target>> targets_;
  std::deque<ListedTarget> ended_;
  std::map<uint32_t, Message> answers_;  // the proxy's last word about a target that is waited for
  bool proxy_ended_ = false;
  bool closed_ = false;
  bool has_run_cgroups_ = false;
  uint32_t last_id_ = 0;
};

}  // namespace waylay::warden
