#include "flow/upstream_protocols.h"

namespace waylay::flow {

void UpstreamProtocols::remember(const std::string& upstream, std::string protocol) {
  std::lock_guard lock(mutex_);
  if (spoken_.size() >= kMaximum && !spoken_.contains(upstream)) spoken_.erase(spoken_.begin());
  spoken_[upstream] = std::move(protocol);
}

std::optional<std::string> UpstreamProtocols::last(const std::string& upstream) const {
  std::lock_guard lock(mutex_);
  auto found = spoken_.find(upstream);
  if (found == spoken_.end()) return std::nullopt;
  return found->second;
}

}  // namespace waylay::flow
