// Having the CA accepted by a running target: the original bundles, Java truststores and directories of hashed
// certificates with our CA added, mounted read-only over those that its processes use, inside its own mount namespace;
// undone by detach. A crash leaves readable supersets only,
// noted in STATE/trust.json before they are mounted, which the next start removes.
//
// Owned by the warden; used by one thread at a time. Two targets in one mount namespace share its mounts: they go with
// the last of them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "tls/trust_anchor.h"
#include "warden/merged_copies.h"

namespace waylay::warden {

struct TrustReport {
  std::string summary;               // one sentence: what was done, or why nothing
  std::vector<std::string> bundles;  // what contains our CA now
  std::vector<std::string> notes;    // what was left alone; then process by process, who will trust us
};

class Trust {
 public:
  struct Places {
    std::string state_directory;    // trust.json
    std::string runtime_directory;  // trust/bundle.pem, trust/bundle.jks, trust/ca.pem, trust/merged/
  };

  // Removes what a crash left, and writes ca.pem and, for `waylay run`, bundle.pem (the system's bundle and our CA) and
  // bundle.jks (the same for Java).
  static Result<Trust> open(Places places, tls::TrustAnchor anchor);

  std::string bundle_path() const { return places_.runtime_directory + "/trust/bundle.pem"; }
  std::string truststore_path() const { return places_.runtime_directory + "/trust/bundle.jks"; }
  std::string ca_path() const { return places_.runtime_directory + "/trust/ca.pem"; }

  // For every mount namespace of these processes but the host's. After an error nothing is mounted.
  Result<TrustReport> mount(uint32_t target, const std::vector<pid_t>& processes);
  // What would be said of these processes if nothing is mounted for them.
  TrustReport explain(const std::vector<pid_t>& processes) const;

  void unmount(uint32_t target);  // what cannot be unmounted stays in the journal, and the log says so
  void unmount_all();

  // What programs read at their start, for a command that `waylay run` starts.
  std::map<std::string, std::string> environment() const;

 private:
  struct Namespace {
    uint64_t inode = 0;
    std::vector<MergedBundle> bundles;
    std::set<uint32_t> targets;  // empty: left by an earlier process
  };
  using Groups = std::map<uint64_t, std::vector<pid_t>>;

  Trust(Places places, tls::TrustAnchor anchor) : places_(std::move(places)), anchor_(std::move(anchor)) {}
  Result<void> write_bundle() const;
  Result<void> mount_namespace(uint32_t target, uint64_t inode, const std::vector<pid_t>& processes,
                               TrustReport& report);
  bool remove(const Namespace& space);
  void remove_copies(const Namespace& space) const;
  void remove_strays() const;
  Groups separate_namespaces(const std::vector<pid_t>& processes, std::vector<pid_t>& of_host) const;
  Result<void> read_journal();
  Result<void> write_journal() const;
  std::string merged_directory() const { return places_.runtime_directory + "/trust/merged"; }
  std::string journal_path() const { return places_.state_directory + "/trust.json"; }

  Places places_;
  tls::TrustAnchor anchor_;
  std::vector<Namespace> namespaces_;
};

}  // namespace waylay::warden
