#include "warden/targets.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "kernel/netns.h"
#include "kernel/process.h"

namespace waylay::warden {
namespace {

std::unexpected<Error> invalid(std::string message) {
  return fail(Error::local(ErrorKind::Invalid, std::move(message)));
}

Result<TargetSpec> parse_pid(std::string_view text) {
  pid_t pid = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (code != std::errc() || end != text.data() + text.size() || pid <= 0) {
    return invalid("\"pid:" + std::string(text) + "\": a process number was expected, as in pid:42");
  }
  return TargetSpec{TargetKind::Pid, "", pid};
}

bool is_container_name(std::string_view name) {
  auto allowed = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-'; };
  return !name.empty() && name.size() <= 255 && std::ranges::all_of(name, allowed);
}

// Everything that attaching needs of the namespace that these processes share.
Result<void> hold_namespace(FoundTarget& target) {
  if (target.processes.empty()) {
    return fail(Error::local(ErrorKind::Unavailable,
                             target.name + ": there is no process in its cgroup " + target.cgroup_path));
  }
  std::set<uint64_t> namespaces;
  pid_t chosen = target.only_pid.value_or(target.container ? target.container->pid : 0);
  for (pid_t pid : target.processes) {
    Result<uint64_t> inode = kernel::network_namespace(pid);
    if (!inode) continue;  // ended meanwhile
    namespaces.insert(*inode);
    if (chosen == 0) chosen = pid;
  }
  // A listener exists in one namespace; a connection redirected in another one would be refused there.
  if (namespaces.size() > 1 && !target.only_pid && target.kind == TargetKind::Cgroup) {
    return invalid(target.name + ": its processes live in " + std::to_string(namespaces.size()) +
                   " network namespaces; attach their own cgroups or containers instead");
  }
  Result<Fd> netns = kernel::open_netns(chosen);
  if (!netns) return fail(netns, target.name);
  Result<uint64_t> inode = kernel::netns_inode(netns->get());
  if (!inode) return fail(inode, target.name);
  target.netns = std::move(*netns);
  target.netns_inode = *inode;
  return {};
}

Result<void> hold_cgroup(FoundTarget& target, const kernel::CgroupTree& cgroups) {
  Result<Fd> directory = cgroups.open(target.cgroup_path);
  if (!directory) return fail(directory, target.name);
  target.cgroup = std::move(*directory);
  if (target.only_pid) return {};
  Result<std::vector<pid_t>> processes = cgroups.processes(target.cgroup_path);
  if (!processes) return fail(processes, target.name);
  target.processes = std::move(*processes);
  return {};
}

Result<FoundTarget> hold(FoundTarget target, const kernel::CgroupTree& cgroups) {
  if (Result<void> cgroup = hold_cgroup(target, cgroups); !cgroup) return fail(cgroup);
  if (Result<void> space = hold_namespace(target); !space) return fail(space);
  return target;
}

Result<FoundTarget> find_docker(const TargetSpec& spec, const kernel::CgroupTree& cgroups,
                                const std::vector<std::string>& sockets) {
  Result<kernel::Container> container = find_container(sockets, spec.name);
  if (!container) return fail(container);
  FoundTarget target{.kind = TargetKind::Docker, .name = "docker:" + container->name};
  if (!container->running || container->pid <= 0) {
    return fail(Error::local(ErrorKind::Unavailable, target.name + ": the container is not running"));
  }
  Result<std::string> path = kernel::cgroup_of_process(container->pid);
  if (!path) return fail(path, target.name);
  if (*path == "/") {
    return fail(Error::local(ErrorKind::Unavailable, target.name +
                                                         ": the engine gives it no cgroup of its own in cgroup2; " +
                                                         "start the engine with cgroup v2 (or a hybrid hierarchy)"));
  }
  target.cgroup_path = std::move(*path);
  target.container = std::move(*container);
  return hold(std::move(target), cgroups);
}

Result<FoundTarget> find_pid(const TargetSpec& spec, const AttachOptions& options, const kernel::CgroupTree& cgroups) {
  FoundTarget target{.kind = TargetKind::Pid, .name = "pid:" + std::to_string(spec.pid)};
  Result<Fd> pidfd = kernel::open_pidfd(spec.pid);
  if (!pidfd) return fail(pidfd, target.name);
  Result<std::string> path = kernel::cgroup_of_process(spec.pid);
  if (!path) return fail(path, target.name);
  target.pidfd = std::move(*pidfd);
  target.only_pid = spec.pid;
  target.cgroup_path = std::move(*path);
  target.processes = {spec.pid};
  if (options.tree) {
    Result<std::vector<pid_t>> descendants = kernel::descendants(spec.pid);
    if (!descendants) return fail(descendants, target.name);
    target.processes.insert(target.processes.end(), descendants->begin(), descendants->end());
  }
  return hold(std::move(target), cgroups);
}

Result<FoundTarget> find_cgroup(const TargetSpec& spec, const kernel::CgroupTree& cgroups) {
  Result<std::string> path = cgroups.resolve(spec.name);
  if (!path) return fail(path);
  FoundTarget target{.kind = TargetKind::Cgroup, .name = "cgroup:" + *path};
  target.cgroup_path = std::move(*path);
  return hold(std::move(target), cgroups);
}

}  // namespace

Result<TargetSpec> parse_target(std::string_view text) {
  if (text.starts_with("pid:")) return parse_pid(text.substr(4));
  if (text.starts_with("run:")) return TargetSpec{TargetKind::Run, std::string(text.substr(4)), 0};
  if (text.starts_with("cgroup:")) {
    std::string path(text.substr(7));
    if (path.empty() || path.find('\0') != std::string::npos)
      return invalid("\"cgroup:\": a path was expected, as in cgroup:/system.slice/job.service");
    return TargetSpec{TargetKind::Cgroup, std::move(path), 0};
  }
  std::string_view name = text.starts_with("docker:") ? text.substr(7) : text;
  if (is_container_name(name)) return TargetSpec{TargetKind::Docker, std::string(name), 0};
  return invalid("\"" + std::string(text) + "\" is no target: write docker:NAME (or only NAME), pid:N or cgroup:PATH");
}

Result<kernel::Container> find_container(const std::vector<std::string>& sockets, std::string_view name) {
  Result<kernel::Container> answer =
      fail(Error::local(ErrorKind::Unavailable, "no container engine is configured (docker.socket)"));
  for (const std::string& socket : sockets) {
    Result<kernel::Container> found = kernel::ContainerEngine(socket).find(name);
    if (found) return found;
    // An engine that answers knows better than one that is not there.
    bool first = &socket == &sockets.front();
    if (first || answer.error().kind == ErrorKind::Unavailable) answer = std::move(found);
  }
  return answer;
}

Result<FoundTarget> find_target(const TargetSpec& spec, const AttachOptions& options, const kernel::CgroupTree& cgroups,
                                const std::vector<std::string>& docker_sockets) {
  if (options.tree && spec.kind != TargetKind::Pid)
    return invalid("tree is for pid:N; a container or a cgroup has its children anyway");
  switch (spec.kind) {
    case TargetKind::Docker:
      return find_docker(spec, cgroups, docker_sockets);
    case TargetKind::Pid:
      return find_pid(spec, options, cgroups);
    case TargetKind::Cgroup:
      return find_cgroup(spec, cgroups);
    case TargetKind::Run:
      break;
  }
  return invalid("run:N is made by `waylay run`; it can be detached, not attached");
}

Result<FoundTarget> find_run_target(unsigned number, const std::string& cgroup_path,
                                    const kernel::CgroupTree& cgroups) {
  FoundTarget target{.kind = TargetKind::Run, .name = "run:" + std::to_string(number)};
  target.cgroup_path = cgroup_path;
  return hold(std::move(target), cgroups);
}

}  // namespace waylay::warden
