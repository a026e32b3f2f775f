#include "warden/attachments.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "base/log.h"
#include "kernel/process.h"

namespace waylay::warden {
namespace {

constexpr int kReadyTimeout_ms = 5000;    // all workers accept: they only have to start their listeners
constexpr int kDrainedTimeout_ms = 6000;  // the proxy itself gives up on handshakes after 5 s
constexpr size_t kRememberedEnded = 64;
constexpr size_t kMaximumTrustText = size_t{8} * 1024;  // in TargetInfo, which must fit a message

uint64_t key_of(uint32_t event, uint32_t target) {
  return (static_cast<uint64_t>(event) << 32) | target;
}

std::vector<int> numbers_of(const kernel::Listeners& listeners) {
  std::vector<int> numbers;
  numbers.reserve(listeners.v4.size() + listeners.v6.size());
  for (const Fd& fd : listeners.v4) numbers.push_back(fd.get());
  for (const Fd& fd : listeners.v6) numbers.push_back(fd.get());
  return numbers;
}

std::string yes_no(bool value) {
  return value ? "yes" : "no";
}

}  // namespace

struct Attachments::Target {
  uint32_t id = 0;
  FoundTarget found;
  AttachOptions options;
  TargetInfo info;
  std::vector<std::string> notes;
  uint16_t port_v4 = 0, port_v6 = 0;
  kernel::Families families;
  bool announced = false;  // the proxy knows it
  bool ending = false;     // its end is on its way to the working thread
  std::unique_ptr<kernel::Redirect> redirect;
  std::optional<kernel::PopulatedWatch> populated;
  std::optional<kernel::RouteWatch> routes;
};

Attachments::Attachments(AttachmentParts parts)
    : parts_(std::move(parts)), run_cgroups_(RunCgroups::open(parts_.state_directory)) {
  sweep();
}

Attachments::~Attachments() = default;

// --- Attaching ---

Result<Attached> Attachments::attach(const TargetSpec& spec, const AttachOptions& options) {
  if (!parts_.engine || !parts_.cgroups) return fail(Error::local(ErrorKind::Unavailable, parts_.unavailable));
  Result<FoundTarget> found = find_target(spec, options, *parts_.cgroups, parts_.docker_sockets);
  if (!found) return fail(found);
  return attach_found(std::move(*found), options);
}

Result<Attached> Attachments::run(pid_t parent, pid_t child, const AttachOptions& options) {
  if (!parts_.engine || !parts_.cgroups) return fail(Error::local(ErrorKind::Unavailable, parts_.unavailable));
  Result<std::string> home = kernel::cgroup_of_process(parent);
  if (!home) return fail(home, "the caller");
  Result<RunCgroups::Made> made = run_cgroups_.make(*parts_.cgroups, *home, child);
  if (!made) return fail(made);
  Result<FoundTarget> found = find_run_target(made->number, made->path, *parts_.cgroups);
  Result<Attached> attached = found ? attach_found(std::move(*found), options) : Result<Attached>(fail(found));
  if (!attached) run_cgroups_.undo(*parts_.cgroups, *made, *home, child);
  sweep();
  return attached;
}

Result<Attached> Attachments::attach_found(FoundTarget found, const AttachOptions& options) {
  if (Result<void> unattached = check_unattached(found); !unattached) return fail(unattached);
  auto target = std::make_unique<Target>();
  target->id = ++last_id_;
  target->found = std::move(found);
  target->options = options;
  std::string name = target->found.name;

  Result<void> done = mount_trust(*target);
  if (done) done = open_listeners(*target);
  if (done) done = redirect(*target);
  if (!done) {
    undo(*target, true, "attaching failed");
    return fail(done, "attaching " + name);
  }
  log::info("attached target=" + std::to_string(target->id) + " name=" + log::quoted(name) +
            " cgroup=" + log::quoted(target->found.cgroup_path) +
            " netns=" + std::to_string(target->found.netns_inode) + " ipv4=" + yes_no(target->families.v4) +
            " ipv6=" + yes_no(target->families.v6) + " trust=" + log::quoted(target->info.trust));
  std::lock_guard lock(mutex_);
  Attached result = describe(*target);
  uint32_t id = target->id;
  Target& kept = *(targets_[id] = std::move(target));
  if (Result<void> watched = watch(kept); !watched) log::warning("watching " + name + ": " + watched.error().message);
  return result;
}

Result<void> Attachments::check_unattached(const FoundTarget& found) const {
  std::lock_guard lock(mutex_);
  for (const auto& [id, target] : targets_) {
    const FoundTarget& other = target->found;
    bool same = other.cgroup_path == found.cgroup_path && other.netns_inode == found.netns_inode &&
                other.only_pid == found.only_pid;
    if (same)
      return fail(Error::local(ErrorKind::Conflict, found.name + " is attached already (as " + other.name + ")"));
  }
  return {};
}

Result<void> Attachments::mount_trust(Target& target) {
  const std::vector<pid_t>& processes = target.found.processes;
  TrustReport report;
  if (target.found.kind == TargetKind::Run) {
    report.summary = "by environment, from " + parts_.trust.bundle_path();
  } else if (!target.options.trust) {
    report.summary = "not asked for";
  } else {
    Result<TrustReport> mounted = parts_.trust.mount(target.id, processes);
    if (!mounted) return fail(mounted);
    report = std::move(*mounted);
  }
  target.notes = std::move(report.notes);
  target.info.trust = report.summary.substr(0, kMaximumTrustText);
  return {};
}

// The proxy holds the only descriptors of the listeners: when it dies they refuse, and nothing hangs.
Result<void> Attachments::open_listeners(Target& target) {
  int netns = target.found.netns.get();
  Result<kernel::Listeners> listeners = kernel::open_listeners(netns, static_cast<int>(parts_.workers));
  if (!listeners) return fail(listeners, "opening listeners");
  Result<uint64_t> cookie = kernel::netns_cookie_of(netns);
  if (!cookie) return fail(cookie);
  Fd copy(::fcntl(netns, F_DUPFD_CLOEXEC, 0));
  if (!copy) return fail(posix_error(errno, "keeping the network namespace"));
  parts_.sockets.add(target.id, std::move(copy));
  parts_.processes.add_target(target.id, target.found.cgroup_path, target.found.container);

  TargetInfo& info = target.info;
  info.name = target.found.name;
  info.ports = target.options.ports;
  info.netns_cookie = *cookie;
  info.insist = target.options.insist;
  info.attached_ns = now().wall_ns;
  if (const auto& container = target.found.container) {
    info.container_id = container->id;
    info.container_name = container->name;
    info.container_image = container->image;
  }
  target.port_v4 = listeners->port_v4;
  target.port_v6 = listeners->port_v6;
  Header header{.type = MessageType::TargetAdded, .target = target.id, .count = static_cast<uint16_t>(parts_.workers)};
  Result<void> sent = send(parts_.control, header, to_json(info), numbers_of(*listeners));
  if (!sent) return fail(sent, "telling the proxy");
  target.announced = true;
  *listeners = {};
  return wait_for(target.id, MessageType::TargetReady, kReadyTimeout_ms);
}

Result<void> Attachments::redirect(Target& target) {
  Result<kernel::RouteWatch> routes = kernel::RouteWatch::open(target.found.netns.get());
  if (!routes) return fail(routes, "watching routes");
  Result<kernel::RouteState> state = kernel::read_routes(target.found.netns.get());
  if (!state) return fail(state, "reading routes");
  target.routes = std::move(*routes);
  target.families = kernel::families_to_redirect(*state);

  kernel::RedirectConfig config;
  config.target = target.id;
  config.netns_cookie = target.info.netns_cookie;
  config.cgroup_fd = target.found.cgroup.get();
  config.ports = target.options.ports;
  config.listener_port_v4 = target.port_v4;
  config.listener_port_v6 = target.port_v6;
  config.v4 = target.families.v4;
  config.v6 = target.families.v6;
  config.only_pid = target.found.only_pid;
  config.tree = target.options.tree;
  config.excluded = parts_.excluded;
  config.redirect_loopback = target.options.redirect_loopback;
  std::lock_guard lock(mutex_);
  if (proxy_ended_) return fail(Error::local(ErrorKind::Unavailable, "the proxy has ended"));
  if (closed_) return fail(Error::local(ErrorKind::Unavailable, "waylayd is stopping"));
  Result<std::unique_ptr<kernel::Redirect>> attached = parts_.engine->attach(config);
  if (!attached) return fail(attached);
  target.redirect = std::move(*attached);
  return {};
}

Result<void> Attachments::watch(Target& target) {
  uint32_t id = target.id;
  Result<void> routes = parts_.events.watch(target.routes->fd(), EPOLLIN, key_of(uint32_t(Event::Routes), id));
  if (!routes) return routes;
  if (target.found.pidfd) {
    return parts_.events.watch(target.found.pidfd->get(), EPOLLIN, key_of(uint32_t(Event::Process), id));
  }
  Result<kernel::PopulatedWatch> populated = kernel::PopulatedWatch::open(target.found.cgroup.get());
  if (!populated) return fail(populated);
  target.populated = std::move(*populated);
  if (!target.populated->populated()) begin_end(target);
  return parts_.events.watch(target.populated->fd(), EPOLLPRI, key_of(uint32_t(Event::Populated), id));
}

// --- Detaching ---

Result<std::string> Attachments::detach(const TargetSpec& spec, bool now) {
  std::string wanted = name_of(spec);
  std::vector<uint32_t> exact, by_prefix;
  std::string name;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, target] : targets_) {
      const FoundTarget& found = target->found;
      bool prefix = spec.kind == TargetKind::Docker && found.container && found.container->id.starts_with(spec.name);
      if (found.name == wanted)
        exact.push_back(id);
      else if (prefix)
        by_prefix.push_back(id);
      if (found.name == wanted || prefix) name = found.name;
    }
  }
  if (exact.empty() && by_prefix.size() > 1) {
    return fail(
        Error::local(ErrorKind::Conflict, "\"" + spec.name + "\" names several attached containers; write more of it"));
  }
  if (exact.empty()) exact = by_prefix;
  if (exact.empty()) return fail(Error::local(ErrorKind::NotFound, wanted + " is not attached"));
  for (uint32_t id : exact) detach_target(id, now, "detached");
  return name;
}

// As a found target is called, without finding it: it may be gone.
std::string Attachments::name_of(const TargetSpec& spec) const {
  switch (spec.kind) {
    case TargetKind::Docker:
      return "docker:" + spec.name;
    case TargetKind::Pid:
      return "pid:" + std::to_string(spec.pid);
    case TargetKind::Run:
      return "run:" + spec.name;
    case TargetKind::Cgroup:
      break;
  }
  Result<std::string> path = parts_.cgroups ? parts_.cgroups->resolve(spec.name) : Result<std::string>(spec.name);
  return "cgroup:" + (path ? *path : spec.name);
}

std::vector<std::string> Attachments::detach_all(bool now) {
  stop_links();
  std::vector<std::string> names;
  for (uint32_t id : attached_ids()) {
    {
      std::lock_guard lock(mutex_);
      names.push_back(targets_.at(id)->found.name);
    }
    detach_target(id, now, "detached");
  }
  // Also what an earlier daemon could not remove.
  parts_.trust.unmount_all();
  return names;
}

void Attachments::detach_target(uint32_t id, bool now, std::string_view why) {
  std::unique_ptr<Target> target;
  {
    std::lock_guard lock(mutex_);
    auto found = targets_.find(id);
    if (found == targets_.end()) return;
    target = std::move(found->second);
    targets_.erase(found);
    if (target->redirect) target->redirect->stop();
  }
  undo(*target, now, why);
  log::info("detached target=" + std::to_string(id) + " name=" + log::quoted(target->found.name) +
            " reason=" + log::quoted(why));
  remember_ended(*target, why);
  sweep();
}

// In the order of detaching, which is that of attaching in reverse; each part knows whether it was done.
void Attachments::undo(Target& target, bool now, std::string_view why) {
  {
    std::lock_guard lock(mutex_);
    if (target.redirect) target.redirect->stop();
  }
  if (target.announced) withdraw_listeners(target, now, why);
  parts_.sockets.remove(target.id);
  parts_.processes.remove_target(target.id);
  {
    std::lock_guard lock(mutex_);
    target.redirect.reset();
  }
  parts_.trust.unmount(target.id);
  target.routes.reset();
  target.populated.reset();
  target.found.pidfd.reset();
  target.found.netns.reset();
  target.found.cgroup.reset();
}

void Attachments::withdraw_listeners(Target& target, bool now, std::string_view why) {
  target.announced = false;
  Header header{.type = MessageType::TargetRemoved, .target = target.id, .count = static_cast<uint16_t>(now ? 1 : 0)};
  Result<void> done = send(parts_.control, header, why);
  if (done) done = wait_for(target.id, MessageType::TargetDrained, kDrainedTimeout_ms);
  if (!done) log::warning("withdrawing listeners target=" + std::to_string(target.id) + ": " + done.error().message);
}

Result<void> Attachments::wait_for(uint32_t target, MessageType type, int timeout_ms) {
  std::unique_lock lock(mutex_);
  auto answered = [&] {
    auto found = answers_.find(target);
    return proxy_ended_ || (found != answers_.end() && found->second.header.type == type);
  };
  bool in_time = changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), answered);
  Message answer;
  if (auto found = answers_.find(target); found != answers_.end()) answer = std::move(found->second);
  answers_.erase(target);
  if (proxy_ended_) return fail(Error::local(ErrorKind::Unavailable, "the proxy has ended"));
  if (!in_time)
    return fail(Error::local(ErrorKind::Timeout,
                             "the proxy did not answer within " + std::to_string(timeout_ms / 1000) + " s"));
  if (answer.header.status != 0)
    return fail(Error::local(ErrorKind::Unavailable, "the proxy refused: " + answer.payload));
  return {};
}

void Attachments::remember_ended(const Target& target, std::string_view why) {
  std::lock_guard lock(mutex_);
  ended_.push_back({describe(target), true, now().wall_ns, std::string(why)});
  if (ended_.size() > kRememberedEnded) ended_.pop_front();
}

void Attachments::sweep() {
  if (parts_.cgroups) run_cgroups_.sweep(*parts_.cgroups);
  std::lock_guard lock(mutex_);
  has_run_cgroups_ = !run_cgroups_.empty();
}

// --- What the loop sees ---

void Attachments::on_proxy_message(const Message& message) {
  MessageType type = message.header.type;
  if (type != MessageType::TargetReady && type != MessageType::TargetDrained) return;
  std::lock_guard lock(mutex_);
  Message& kept = answers_[message.header.target];
  kept.header = message.header;
  kept.payload = message.payload;
  // Late answers that nobody waits for do not pile up: a target's number is never used again.
  if (answers_.size() > 1024) answers_.clear();
  changed_.notify_all();
}

void Attachments::on_proxy_end() {
  std::lock_guard lock(mutex_);
  proxy_ended_ = true;
  for (auto& [id, target] : targets_) target->redirect.reset();
  changed_.notify_all();
}

void Attachments::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  stop_links();
}

void Attachments::stop_links() {
  std::lock_guard lock(mutex_);
  for (auto& [id, target] : targets_) {
    if (target->redirect) target->redirect->stop();
  }
}

void Attachments::abandon() {
  {
    std::lock_guard lock(mutex_);
    targets_.clear();
  }
  if (parts_.cgroups) run_cgroups_.dissolve(*parts_.cgroups);
  parts_.trust.unmount_all();
  sweep();
}

void Attachments::on_event(uint64_t key) {
  auto event = static_cast<Event>(key >> 32);
  auto id = static_cast<uint32_t>(key);
  std::lock_guard lock(mutex_);
  auto found = targets_.find(id);
  if (found == targets_.end()) return;
  Target& target = *found->second;
  if (event == Event::Routes) return on_routes(target);
  bool over = event == Event::Process || !target.populated->populated();
  if (over) begin_end(target);
}

void Attachments::begin_end(Target& target) {
  if (target.ending) return;
  target.ending = true;
  if (target.redirect) target.redirect->stop();
  target.found.pidfd.reset();  // it would be reported again and again
  parts_.post([this, id = target.id] { detach_target(id, false, "its last process ended"); });
}

void Attachments::on_routes(Target& target) {
  target.routes->drain();
  Result<kernel::RouteState> state = kernel::read_routes(target.found.netns.get());
  if (!state) return log::warning("reading routes of " + target.found.name + ": " + state.error().message);
  kernel::Families families = kernel::families_to_redirect(*state);
  if (families == target.families) return;
  target.families = families;
  if (target.redirect) target.redirect->set_families(families.v4, families.v6);
  log::info("routes changed target=" + std::to_string(target.id) + " ipv4=" + yes_no(families.v4) +
            " ipv6=" + yes_no(families.v6));
}

// --- Answers ---

Attached Attachments::describe(const Target& target) const {
  return {target.id, target.info, target.found.cgroup_path, target.families, target.notes};
}

std::vector<uint32_t> Attachments::attached_ids() const {
  std::lock_guard lock(mutex_);
  std::vector<uint32_t> ids;
  ids.reserve(targets_.size());
  for (const auto& [id, target] : targets_) ids.push_back(id);
  return ids;
}

std::vector<ListedTarget> Attachments::list() const {
  std::lock_guard lock(mutex_);
  std::vector<ListedTarget> all;
  all.reserve(targets_.size() + ended_.size());
  for (const auto& [id, target] : targets_) all.push_back({describe(*target), false, 0, ""});
  all.insert(all.end(), ended_.begin(), ended_.end());
  return all;
}

bool Attachments::has_run_cgroups() const {
  std::lock_guard lock(mutex_);
  return has_run_cgroups_;
}

}  // namespace waylay::warden
