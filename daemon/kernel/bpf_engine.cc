#include "kernel/bpf_engine.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "base/log.h"
#include "bpf/waylay.h"
#include "kernel/bpf_error.h"
#include "kernel/flow_map.h"
#include "kernel/process.h"
#include "waylay.skel.h"
#include "waylay_tree.skel.h"

namespace waylay::kernel {
namespace {

using Skeleton = Handle<waylay_bpf, waylay_bpf__destroy>;
using TreeSkeleton = Handle<waylay_tree_bpf, waylay_tree_bpf__destroy>;

// Detached at once and by name: closing the descriptor alone would leave it attached for as long as a forked process
// has a copy of it, and the kernel would take its time.
void end_link(bpf_link* link) {
  bpf_link__detach(link);
  bpf_link__destroy(link);
}
using Link = Handle<bpf_link, end_link>;

// Connections that passed the max_flows check and are not listed yet. More than this many tasks between connect() and
// their SYN at the same moment would leave some redirected without an entry; they are counted as unlisted.
constexpr uint32_t kRoomForRaces = 1024;

constexpr uint32_t kMaxTree = 32768;  // processes of one tree; a further one is not redirected

// The number of entries in the flow map, shared with the kernel programs, which add and subtract atomically.
class LiveFlows {
 public:
  static Result<LiveFlows> map(int map_fd) {
    size_t size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
    if (memory == MAP_FAILED) return fail(posix_error(errno, "mapping the count of open flows"));
    return LiveFlows(static_cast<uint64_t*>(memory), size);
  }
  LiveFlows(LiveFlows&& other) noexcept : value_(std::exchange(other.value_, nullptr)), size_(other.size_) {}
  LiveFlows& operator=(LiveFlows&&) = delete;
  ~LiveFlows() {
    if (value_) munmap(value_, size_);
  }

  bool none() const { return __atomic_load_n(value_, __ATOMIC_RELAXED) == 0; }
  void subtract_one() { __atomic_fetch_sub(value_, 1, __ATOMIC_RELAXED); }

 private:
  LiveFlows(uint64_t* value, size_t size) : value_(value), size_(size) {}
  uint64_t* value_;
  size_t size_;
};

Result<Skeleton> open_skeleton() {
  Skeleton skeleton(waylay_bpf__open());
  if (!skeleton) return fail(bpf_error(errno, BpfStep::Load, "opening the redirect programs"));
  return skeleton;
}

Result<void> load(waylay_bpf& skeleton) {
  if (int code = waylay_bpf__load(&skeleton); code != 0)
    return fail(bpf_error(code, BpfStep::Load, "loading the redirect programs into the kernel"));
  return {};
}

// The programs that follow fork and exit, of the whole system, are there only for targets that need them. Reading the
// kernel's types for them takes longer than all the rest of an attach.
Result<TreeSkeleton> load_tree(const waylay_bpf& with) {
  TreeSkeleton skeleton(waylay_tree_bpf__open());
  if (!skeleton) return fail(bpf_error(errno, BpfStep::Load, "opening the programs that follow a tree"));
  if (int code = bpf_map__reuse_fd(skeleton->maps.tree, bpf_map__fd(with.maps.tree)); code != 0)
    return fail(bpf_error(code, BpfStep::Load, "sharing the set of processes"));
  if (int code = waylay_tree_bpf__load(skeleton.get()); code != 0)
    return fail(bpf_error(code, BpfStep::Load, "loading the programs that follow a tree"));
  return skeleton;
}

Result<Fd> read_only(bpf_map* map) {
  bpf_map_info info{};
  uint32_t size = sizeof info;
  if (int code = bpf_obj_get_info_by_fd(bpf_map__fd(map), &info, &size); code != 0)
    return fail(bpf_error(code, BpfStep::Load, "asking for the identity of a map"));
  bpf_get_fd_by_id_opts options{};
  options.sz = sizeof options;
  options.open_flags = BPF_F_RDONLY;
  Fd fd(bpf_map_get_fd_by_id_opts(info.id, &options));
  if (!fd) return fail(bpf_error(errno, BpfStep::Load, "opening a map for reading only"));
  return fd;
}

Result<void> check(const RedirectConfig& config) {
  auto invalid = [](std::string message) { return fail(Error::local(ErrorKind::Invalid, std::move(message))); };
  if (config.target == 0) return invalid("a target has the number 0");
  if (config.ports.empty() || config.ports.size() > WAYLAY_MAX_PORTS)
    return invalid("between 1 and " + std::to_string(WAYLAY_MAX_PORTS) + " ports can be redirected");
  if (std::ranges::count(config.ports, 0) != 0) return invalid("port 0 cannot be redirected");
  if (config.excluded.size() > WAYLAY_MAX_EXCLUDED)
    return invalid("at most " + std::to_string(WAYLAY_MAX_EXCLUDED) + " processes can be excluded");
  if (config.tree && !config.only_pid) return invalid("the tree option needs a process");
  if (config.listener_port_v4 == 0 && config.listener_port_v6 == 0)
    return invalid("there is no listener to redirect to");
  return {};
}

waylay_settings settings_of(const RedirectConfig& config, uint32_t max_flows) {
  waylay_settings settings{};
  settings.max_flows = max_flows;
  settings.netns_cookie = config.netns_cookie;
  settings.target = config.target;
  settings.only_pid = static_cast<uint32_t>(config.only_pid.value_or(0));
  std::ranges::copy(config.excluded, settings.excluded);
  std::ranges::copy(config.ports, settings.ports);
  settings.listener_port_v4 = config.listener_port_v4;
  settings.listener_port_v6 = config.listener_port_v6;
  settings.tree = config.tree;
  settings.redirect_loopback = config.redirect_loopback;
  return settings;
}

uint32_t families_of(bool v4, bool v6) {
  uint32_t families = 0;
  if (v4) families |= WAYLAY_FAMILY_V4;
  if (v6) families |= WAYLAY_FAMILY_V6;
  return families;
}

class BpfRedirect final : public Redirect {
 public:
  BpfRedirect(Skeleton skeleton, LiveFlows live, uint32_t target)
      : skeleton_(std::move(skeleton)), live_(std::move(live)), target_(target) {}
  ~BpfRedirect() override;

  Result<void> attach(int cgroup_fd);
  Result<void> follow_tree(pid_t root);
  void set_families(bool v4, bool v6) override;
  void stop() override;
  Result<TargetCounters> counters() const override;
  std::vector<pid_t> tree() const override;

 private:
  bool add_to_tree(pid_t pid);
  void remove_flows();

  Skeleton skeleton_;
  TreeSkeleton following_;  // null: no tree
  LiveFlows live_;
  uint32_t target_;
  std::vector<Link> companions_;   // what an already redirected connection needs
  std::vector<Link> redirecting_;  // what changes new connections
};

// Whatever does no harm by itself comes first, and the connect hooks last: nothing is redirected before everything
// that a redirected connection needs is in place.
Result<void> BpfRedirect::attach(int cgroup_fd) {
  struct Step {
    bpf_program* program;
    std::vector<Link>* links;
  };
  auto& programs = skeleton_->progs;
  const Step steps[] = {
      {programs.waylay_sockops, &companions_},      {programs.waylay_getpeername4, &companions_},
      {programs.waylay_getpeername6, &companions_}, {programs.waylay_egress, &redirecting_},
      {programs.waylay_sendmsg4, &redirecting_},    {programs.waylay_sendmsg6, &redirecting_},
      {programs.waylay_connect6, &redirecting_},    {programs.waylay_connect4, &redirecting_},
  };
  for (const Step& step : steps) {
    // Links imply BPF_F_ALLOW_MULTI: other people's programs stay and run as well.
    Link link(bpf_program__attach_cgroup(step.program, cgroup_fd));
    if (!link)
      return fail(bpf_error(errno, BpfStep::Attach, std::string("attaching ") + bpf_program__name(step.program)));
    step.links->push_back(std::move(link));
  }
  return {};
}

// The hooks first, then those who are there already, until nobody new is found: a child forked by a process that was
// not in the set yet is found in the next round.
Result<void> BpfRedirect::follow_tree(pid_t root) {
  Result<TreeSkeleton> following = load_tree(*skeleton_);
  if (!following) return fail(following);
  following_ = std::move(*following);
  for (bpf_program* program : {following_->progs.waylay_exit, following_->progs.waylay_fork}) {
    Link link(bpf_program__attach(program));
    if (!link) return fail(bpf_error(errno, BpfStep::Load, std::string("attaching ") + bpf_program__name(program)));
    redirecting_.push_back(std::move(link));
  }
  add_to_tree(root);
  constexpr int kMaxRounds = 100;
  for (int round = 0; round < kMaxRounds; ++round) {
    Result<std::vector<pid_t>> there = descendants(root);
    if (!there) return fail(there);
    if (std::ranges::count_if(*there, [this](pid_t pid) { return add_to_tree(pid); }) == 0) return {};
  }
  return {};  // it forks faster than /proc can be read: the hook follows all that matter by now
}

bool BpfRedirect::add_to_tree(pid_t pid) {
  uint8_t member = 1;
  return bpf_map_update_elem(bpf_map__fd(skeleton_->maps.tree), &pid, &member, BPF_NOEXIST) == 0;
}

std::vector<pid_t> BpfRedirect::tree() const {
  std::vector<pid_t> pids;
  int map = bpf_map__fd(skeleton_->maps.tree);
  pid_t pid = 0;
  const pid_t* previous = nullptr;
  // Members that end meanwhile can make the walk begin again: bounded.
  for (uint32_t step = 0; step < 2 * kMaxTree && bpf_map_get_next_key(map, previous, &pid) == 0; ++step) {
    pids.push_back(pid);
    previous = &pid;
  }
  std::ranges::sort(pids);
  pids.erase(std::ranges::unique(pids).begin(), pids.end());
  return pids;
}

void BpfRedirect::set_families(bool v4, bool v6) {
  __atomic_store_n(&skeleton_->bss->families, families_of(v4, v6), __ATOMIC_RELAXED);
}

void BpfRedirect::stop() {
  while (!redirecting_.empty()) redirecting_.pop_back();
}

BpfRedirect::~BpfRedirect() {
  stop();
  companions_.clear();
  remove_flows();
  bpf_map_delete_elem(bpf_map__fd(skeleton_->maps.counters), &target_);
}

// Connections that are still open would leave their entries behind: their state callback went with the sockops link.
void BpfRedirect::remove_flows() {
  if (live_.none()) return;
  int flows = bpf_map__fd(skeleton_->maps.flows);
  std::vector<waylay_flow_key> ours;
  waylay_flow_key key{};
  const waylay_flow_key* previous = nullptr;
  // Entries that other targets remove meanwhile can make the walk begin again: bounded, and nothing is lost by it but
  // room in the map.
  uint64_t steps_left = 2ull * bpf_map__max_entries(skeleton_->maps.flows);
  while (steps_left-- > 0 && bpf_map_get_next_key(flows, previous, &key) == 0) {
    waylay_origin origin{};
    if (bpf_map_lookup_elem(flows, &key, &origin) == 0 && origin.target == target_) ours.push_back(key);
    previous = &key;
  }
  for (const waylay_flow_key& each : ours)
    if (bpf_map_delete_elem(flows, &each) == 0) live_.subtract_one();
}

Result<TargetCounters> BpfRedirect::counters() const {
  return read_counters(bpf_map__fd(skeleton_->maps.counters), target_);
}

}  // namespace

struct BpfEngine::Impl {
  BpfEngineOptions options;
  Skeleton shared;  // loaded and never attached: it owns the maps that every target's copy uses
  Fd flows;
  Fd counters;
};

BpfEngine::BpfEngine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BpfEngine::BpfEngine(BpfEngine&&) noexcept = default;
BpfEngine& BpfEngine::operator=(BpfEngine&&) noexcept = default;
BpfEngine::~BpfEngine() = default;

int BpfEngine::flows_fd() const {
  return impl_->flows.get();
}
int BpfEngine::counters_fd() const {
  return impl_->counters.get();
}

Result<BpfEngine> BpfEngine::create(const BpfEngineOptions& options) {
  capture_libbpf_log();
  Result<Skeleton> shared = open_skeleton();
  if (!shared) return fail(shared);
  bpf_map__set_max_entries((*shared)->maps.flows, options.max_flows + kRoomForRaces);
  bpf_map__set_max_entries((*shared)->maps.counters, options.max_targets);
  if (Result<void> loaded = load(**shared); !loaded) return fail(loaded);
  Result<Fd> flows = read_only((*shared)->maps.flows);
  if (!flows) return fail(flows);
  Result<Fd> counters = read_only((*shared)->maps.counters);
  if (!counters) return fail(counters);
  take_libbpf_warnings();
  return BpfEngine(std::make_unique<Impl>(options, std::move(*shared), std::move(*flows), std::move(*counters)));
}

namespace {

Result<void> share_maps(const waylay_bpf& from, waylay_bpf& to) {
  const std::pair<bpf_map*, bpf_map*> maps[] = {{from.maps.flows, to.maps.flows},
                                                {from.maps.live_flows, to.maps.live_flows},
                                                {from.maps.sockets, to.maps.sockets},
                                                {from.maps.counters, to.maps.counters}};
  for (auto [shared, own] : maps)
    if (int code = bpf_map__reuse_fd(own, bpf_map__fd(shared)); code != 0)
      return fail(bpf_error(code, BpfStep::Load, "sharing the maps"));
  return {};
}

Result<void> make_counters(int counters_fd, uint32_t target) {
  waylay_counters zero{};
  int code = bpf_map_update_elem(counters_fd, &target, &zero, BPF_NOEXIST);
  if (code == 0) return {};
  if (code == -EEXIST)
    return fail(Error::local(ErrorKind::Conflict, "target " + std::to_string(target) + " is attached already"));
  if (code == -E2BIG) return fail(Error::local(ErrorKind::Limit, "too many targets are attached"));
  return fail(bpf_error(code, BpfStep::Load, "making the target's counters"));
}

}  // namespace

Result<std::unique_ptr<Redirect>> BpfEngine::attach(const RedirectConfig& config) {
  if (Result<void> checked = check(config); !checked) return fail(checked);
  Result<Skeleton> skeleton = open_skeleton();
  if (!skeleton) return fail(skeleton);
  if (Result<void> shared = share_maps(*impl_->shared, **skeleton); !shared) return fail(shared);
  if (config.tree) bpf_map__set_max_entries((*skeleton)->maps.tree, kMaxTree);
  (*skeleton)->rodata->settings = settings_of(config, impl_->options.max_flows);
  (*skeleton)->bss->families = families_of(config.v4, config.v6);
  if (Result<void> loaded = load(**skeleton); !loaded) return fail(loaded);
  Result<LiveFlows> live = LiveFlows::map(bpf_map__fd((*skeleton)->maps.live_flows));
  if (!live) return fail(live);
  if (Result<void> made = make_counters(bpf_map__fd((*skeleton)->maps.counters), config.target); !made)
    return fail(made);
  // From here on the redirect's destructor undoes everything.
  auto redirect = std::make_unique<BpfRedirect>(std::move(*skeleton), std::move(*live), config.target);
  if (config.tree)
    if (Result<void> followed = redirect->follow_tree(*config.only_pid); !followed) return fail(followed);
  if (Result<void> attached = redirect->attach(config.cgroup_fd); !attached) return fail(attached);
  take_libbpf_warnings();
  return redirect;
}

}  // namespace waylay::kernel
