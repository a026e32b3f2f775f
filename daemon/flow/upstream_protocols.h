// What each upstream spoke last, HTTP/2 or HTTP/1.1, so that a client can be answered before the upstream is connected.
// By destination and name; shared by all workers, thread-safe, bounded.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace waylay::flow {

class UpstreamProtocols {
 public:
  static constexpr size_t kMaximum = 10'000;

  void remember(const std::string& upstream, std::string protocol);
  std::optional<std::string> last(const std::string& upstream) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> spoken_;
};

}  // namespace waylay::flow
