// The cgroups made for `waylay run`, each a child of its caller's own: removed as soon as they are empty, by a later
// start at the latest. Which ones there are is kept in STATE/run-cgroups. For one thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "kernel/cgroup.h"

namespace waylay::warden {

class RunCgroups {
 public:
  static RunCgroups open(std::string state_directory);

  struct Made {
    unsigned number = 0;
    std::string path;
  };
  // `parent`/waylay-run-N, with the process in it.
  Result<Made> make(const kernel::CgroupTree& cgroups, const std::string& parent, pid_t child);

  // The command was not intercepted after all: it goes back, and the cgroup away.
  void undo(const kernel::CgroupTree& cgroups, const Made& made, const std::string& parent, pid_t child);

  // Removes those that are empty now.
  void sweep(const kernel::CgroupTree& cgroups);
  // The daemon stops: commands that still run go back to where they came from.
  void dissolve(const kernel::CgroupTree& cgroups);
  bool empty() const { return paths_.empty(); }

 private:
  explicit RunCgroups(std::string file) : file_(std::move(file)) {}
  Result<void> write() const;

  std::string file_;
  std::vector<std::string> paths_;
  unsigned last_number_ = 0;
};

}  // namespace waylay::warden
