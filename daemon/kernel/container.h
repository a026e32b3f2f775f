// Containers by name, asked of a Docker-compatible engine over its Unix socket. The engine is a local administrator's
// program, but its answers are bounded all the same: 8 MiB, five seconds. Blocking: not for an event loop's thread.
// Source: Docker Engine API 1.24 to 1.41, "Containers".
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace waylay::kernel {

struct Container {
  std::string id;    // 64 hexadecimal digits
  std::string name;  // without the leading '/'
  std::string image;
  pid_t pid = 0;  // of its first process, as the engine sees it; 0 when not running
  bool running = false;
};

class ContainerEngine {
 public:
  explicit ContainerEngine(std::string socket_path) : socket_path_(std::move(socket_path)) {}

  // By exact name, else by an unambiguous prefix of the id; stopped ones are found too. NotFound names the nearest
  // names, Conflict the candidates, Unavailable says that there is no engine.
  Result<Container> find(std::string_view name_or_id) const;
  Result<std::vector<Container>> list() const;  // running or not, without pids

 private:
  std::string socket_path_;
};

// The container that a cgroup belongs to, by the way Docker, containerd, CRI-O and Podman name cgroups:
// "/docker/ID", "/system.slice/docker-ID.scope", "cri-containerd-ID.scope", "crio-ID.scope", "libpod-ID.scope".
std::optional<std::string> container_id_in(std::string_view cgroup_path);

}  // namespace waylay::kernel
