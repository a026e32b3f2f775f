// The eBPF redirect engine: loads bpf/waylay.bpf.c, one copy for each target, attached to the target's cgroup by links
// that are held by descriptors (close-on-exec) of this process alone, so its end, however it comes, ends every
// redirect (a process forked from it must close what it inherits, or it keeps the links alive past a crash). Other
// people's programs on the same cgroup stay. Owned by the warden; not for two threads at once.
//
// Needs Linux 6.1 with BTF, cgroup2, and CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON (for targets with `tree`, which watch
// fork and exit) and CAP_SYS_ADMIN (for the read-only descriptors: BPF_MAP_GET_FD_BY_ID).
#pragma once

#include "base/handle.h"
#include "kernel/redirect.h"

namespace waylay::kernel {

struct BpfEngineOptions {
  uint32_t max_flows = 65536;  // redirected connections open at the same time; about 170 bytes of kernel memory each
  uint32_t max_targets = 1024;
};

class BpfEngine final : public RedirectEngine {
 public:
  // Makes the shared maps and has the kernel check the programs, so that what it refuses is known before any attach.
  static Result<BpfEngine> create(const BpfEngineOptions& options);
  BpfEngine(BpfEngine&&) noexcept;
  BpfEngine& operator=(BpfEngine&&) noexcept;
  ~BpfEngine() override;  // redirects that are still there go on

  // Read-only descriptors (the holder can look up and cannot change) for the unprivileged proxy: FlowMap and
  // read_counters(). Close-on-exec; owned by the engine.
  int flows_fd() const;
  int counters_fd() const;

  Result<std::unique_ptr<Redirect>> attach(const RedirectConfig& config) override;

 private:
  struct Impl;
  explicit BpfEngine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace waylay::kernel
