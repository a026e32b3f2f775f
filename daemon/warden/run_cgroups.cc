#include "warden/run_cgroups.h"

#include <algorithm>
#include <sstream>

#include "base/log.h"
#include "warden/files.h"

namespace waylay::warden {
namespace {

constexpr size_t kMaximumFile = size_t{1024} * 1024;
constexpr unsigned kMaximumTries = 1000;

// Only our own names are ever removed, whatever the file says.
bool is_ours(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash != std::string::npos && path.compare(slash + 1, 11, "waylay-run-") == 0;
}

}  // namespace

RunCgroups RunCgroups::open(std::string state_directory) {
  RunCgroups cgroups(std::move(state_directory) + "/run-cgroups");
  Result<std::string> text = read_file(cgroups.file_, kMaximumFile);
  if (!text) return cgroups;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    if (is_ours(line)) cgroups.paths_.push_back(line);
  }
  return cgroups;
}

Result<RunCgroups::Made> RunCgroups::make(const kernel::CgroupTree& cgroups, const std::string& parent, pid_t child) {
  Result<std::string> path = fail(Error::local(ErrorKind::Conflict, "no free name for a cgroup below " + parent));
  for (unsigned tries = 0; tries < kMaximumTries && !path && path.error().kind == ErrorKind::Conflict; ++tries) {
    path = cgroups.create_child(parent, "waylay-run-" + std::to_string(++last_number_));
  }
  if (!path) return fail(path, "making a cgroup for the command");
  Made made{last_number_, *path};
  paths_.push_back(*path);
  Result<void> done = write();
  if (done) done = cgroups.move_process(*path, child);
  if (done) return made;
  sweep(cgroups);
  return fail(done, "moving the command into its cgroup");
}

void RunCgroups::undo(const kernel::CgroupTree& cgroups, const Made&, const std::string& parent, pid_t child) {
  if (Result<void> moved = cgroups.move_process(parent, child); !moved) {
    log::warning("moving a command back to its cgroup: " + moved.error().message);
  }
  sweep(cgroups);
}

void RunCgroups::sweep(const kernel::CgroupTree& cgroups) {
  size_t before = paths_.size();
  std::erase_if(paths_, [&](const std::string& path) { return cgroups.remove(path).has_value(); });
  if (paths_.size() == before) return;
  if (Result<void> written = write(); !written) log::warning("run cgroups: " + written.error().message);
}

void RunCgroups::dissolve(const kernel::CgroupTree& cgroups) {
  for (const std::string& path : paths_) {
    std::string parent = path.substr(0, std::max<size_t>(path.rfind('/'), 1));
    Result<std::vector<pid_t>> processes = cgroups.processes(path);
    if (!processes) continue;
    for (pid_t pid : *processes) (void)cgroups.move_process(parent, pid);  // what ended meanwhile needs no place
  }
  sweep(cgroups);
}

Result<void> RunCgroups::write() const {
  std::string text;
  for (const std::string& path : paths_) text.append(path).append("\n");
  return replace_file(file_, text, 0600);
}

}  // namespace waylay::warden
