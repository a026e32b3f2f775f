// Looking for certificate bundles, Java truststores and directories of hashed certificates in a target's root, and
// writing merged copies of them (merged_copies.h). What is merged is mounted afterwards (bundle_mount.h).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "tls/trust_anchor.h"
#include "warden/merged_copies.h"

namespace waylay::warden {

struct BundleScan {
  std::vector<MergedBundle> bundles;
  std::vector<std::string> notes;  // what was left alone, and why
};

// `merged_directory`: ours, on the host.
Result<BundleScan> scan_bundles(const std::vector<pid_t>& processes, const std::string& merged_directory,
                                const std::string& name_prefix, const tls::TrustAnchor& anchor);

}  // namespace waylay::warden
