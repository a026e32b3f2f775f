#include "warden/trust.h"

#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/bytes.h"
#include "base/log.h"
#include "kernel/process.h"
#include "tls/java_truststore.h"
#include "warden/bundle_mount.h"
#include "warden/bundle_scan.h"
#include "warden/files.h"
#include "warden/trust_statement.h"

namespace waylay::warden {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kJavaVariable = "JAVA_TOOL_OPTIONS";
constexpr size_t kMaximumStatements = 40;
constexpr size_t kMaximumNamespaces = 16;
constexpr size_t kMaximumJournal = size_t{16} * 1024 * 1024;

// A namespace's number means nothing after a reboot.
std::string boot_id() {
  Result<std::string> id = read_file("/proc/sys/kernel/random/boot_id", 128);
  return id ? std::string(trim(id->substr(0, id->find('\n')))) : "";
}

// Copies' names are never used twice, so that a mount can be told by its source's name, in a crash's journal too.
std::string unique_prefix() {
  std::byte random[8] = {};
  (void)!::getrandom(random, sizeof random, 0);
  return "waylay-" + to_hex(random) + "-";
}

// Some process that lives in the mount namespace.
std::optional<pid_t> survivor_in(uint64_t namespace_inode) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    std::string name = entry.path().filename();
    pid_t pid = 0;
    auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (code != std::errc() || end != name.data() + name.size()) continue;
    Result<uint64_t> inode = kernel::mount_namespace(pid);
    if (inode && *inode == namespace_inode) return pid;
  }
  return std::nullopt;
}

Json to_json(const MergedBundle& bundle) {
  return {{"path", bundle.path}, {"file", bundle.file}, {"device", bundle.file_device}, {"inode", bundle.file_inode}};
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text.append(text.empty() ? "" : ", ").append(part);
  return text;
}

void append(std::vector<std::string>& to, const std::vector<std::string>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

Result<Trust> Trust::open(Places places, tls::TrustAnchor anchor) {
  Trust trust(std::move(places), std::move(anchor));
  if (Result<void> made = make_directory(trust.places_.runtime_directory + "/trust", 0755, 0, 0); !made)
    return fail(made);
  if (Result<void> made = make_directory(trust.merged_directory(), 0700, 0, 0); !made) return fail(made);
  if (Result<void> read = trust.read_journal(); !read) return fail(read);
  if (!trust.namespaces_.empty()) {
    log::info("removing bundles that an earlier daemon left namespaces=" + std::to_string(trust.namespaces_.size()));
    trust.unmount_all();
  }
  trust.remove_strays();
  if (Result<void> written = trust.write_bundle(); !written) return fail(written);
  return trust;
}

Result<void> Trust::write_bundle() const {
  std::string text;
  if (std::string path = system_bundle_path(); !path.empty()) {
    Result<std::string> system = read_file(path, kMaximumBundle);
    if (!system) return fail(system, "reading the system's certificates");
    text = std::move(*system);
  }
  if (std::string merged = merge_bundle(text, anchor_.pem); !merged.empty()) text = std::move(merged);
  if (Result<void> written = replace_file(bundle_path(), text, 0644); !written) return written;
  Result<std::string> truststore = tls::truststore_of_bundle(text);
  if (!truststore) return fail(truststore, "making a truststore for Java");
  if (Result<void> written = replace_file(truststore_path(), *truststore, 0644); !written) return written;
  return replace_file(ca_path(), anchor_.pem, 0644);
}

std::map<std::string, std::string> Trust::environment() const {
  std::map<std::string, std::string> variables;
  for (std::string_view name : kBundleVariables) variables.emplace(name, bundle_path());
  variables["NODE_EXTRA_CA_CERTS"] =
      ca_path();  // in addition to Node's own roots, so parsing all of them again is waste
  variables[std::string(kJavaVariable)] = "-Djavax.net.ssl.trustStore=" + truststore_path();
  return variables;
}

// The host's namespace is that of process 1 and, where systemd gives the daemon one of its own, the warden's too.
Trust::Groups Trust::separate_namespaces(const std::vector<pid_t>& processes, std::vector<pid_t>& of_host) const {
  Result<uint64_t> own = kernel::mount_namespace(::getpid()), host = kernel::mount_namespace(1);
  Groups groups;
  for (pid_t pid : processes) {
    Result<uint64_t> inode = kernel::mount_namespace(pid);
    if (!inode) continue;  // ended meanwhile
    bool is_host = (own && *inode == *own) || (host && *inode == *host);
    if (is_host)
      of_host.push_back(pid);
    else if (groups.contains(*inode) || groups.size() < kMaximumNamespaces)
      groups[*inode].push_back(pid);
  }
  return groups;
}

Result<TrustReport> Trust::mount(uint32_t target, const std::vector<pid_t>& processes) {
  TrustReport report;
  std::vector<pid_t> of_host;
  Groups groups = separate_namespaces(processes, of_host);
  for (const auto& [inode, members] : groups) {
    if (Result<void> mounted = mount_namespace(target, inode, members, report); !mounted) {
      unmount(target);
      return fail(mounted, "making the target trust our CA");
    }
  }
  if (!report.bundles.empty()) report.summary = "our CA was added to " + joined(report.bundles);
  if (report.bundles.empty() && !groups.empty()) report.summary = "no certificate bundle was found in the target";
  for (const auto& [inode, members] : groups) {
    append(report.notes, trust_statements(members, !report.bundles.empty(), kMaximumStatements));
  }
  if (of_host.empty()) return report;
  TrustReport left = explain(of_host);
  report.summary += (report.summary.empty() ? "" : "; ") + left.summary;
  append(report.notes, left.notes);
  return report;
}

TrustReport Trust::explain(const std::vector<pid_t>& processes) const {
  TrustReport report;
  report.summary =
      "nothing was mounted, since its processes see the host's own files: start them with `waylay run`, or set " +
      std::string("SSL_CERT_FILE, AWS_CA_BUNDLE or REQUESTS_CA_BUNDLE to ") + bundle_path();
  report.notes = trust_statements(processes, false, kMaximumStatements);
  return report;
}

Result<void> Trust::mount_namespace(uint32_t target, uint64_t inode, const std::vector<pid_t>& processes,
                                    TrustReport& report) {
  auto known = std::ranges::find(namespaces_, inode, &Namespace::inode);
  if (known != namespaces_.end()) {
    known->targets.insert(target);
    for (const MergedBundle& bundle : known->bundles) report.bundles.push_back(bundle.path);
    return {};
  }
  Result<BundleScan> scan = scan_bundles(processes, merged_directory(), unique_prefix(), anchor_);
  if (!scan) return fail(scan);
  append(report.notes, scan->notes);
  if (scan->bundles.empty()) return {};
  namespaces_.push_back({inode, scan->bundles, {target}});
  Result<void> done = write_journal();
  if (done) done = mount_bundles(processes.front(), scan->bundles, merged_directory());
  if (!done) return done;
  for (const MergedBundle& bundle : scan->bundles) report.bundles.push_back(bundle.path);
  return {};
}

void Trust::unmount(uint32_t target) {
  size_t before = namespaces_.size();
  std::erase_if(namespaces_, [&](Namespace& space) {
    return space.targets.erase(target) > 0 && space.targets.empty() && remove(space);
  });
  if (namespaces_.size() == before) return;
  if (Result<void> written = write_journal(); !written) log::error("trust journal: " + written.error().message);
}

void Trust::unmount_all() {
  std::erase_if(namespaces_, [&](Namespace& space) {
    space.targets.clear();
    return remove(space);
  });
  if (Result<void> written = write_journal(); !written) log::error("trust journal: " + written.error().message);
}

// Whether nothing of it is left. A namespace without processes is gone, and its mounts with it.
bool Trust::remove(const Namespace& space) {
  // A process may end between being found and being entered: then another one of the namespace is asked.
  for (int tries = 0; tries < 3; ++tries) {
    std::optional<pid_t> pid = survivor_in(space.inode);
    Result<void> done = pid ? unmount_bundles(*pid, space.bundles) : Result<void>();
    if (done) {
      remove_copies(space);
      return true;
    }
    if (tries == 2)
      log::warning("bundles stay mounted namespace=" + std::to_string(space.inode) + " " + done.error().message);
  }
  return false;
}

void Trust::remove_copies(const Namespace& space) const {
  for (const MergedBundle& bundle : space.bundles) remove_merged_copy(merged_directory() + "/" + bundle.file);
}

// Copies that were written when a crash came before the journal.
void Trust::remove_strays() const {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(merged_directory(), error)) {
    std::string name = entry.path().filename();
    bool known = std::ranges::any_of(namespaces_, [&](const Namespace& space) {
      return std::ranges::find(space.bundles, name, &MergedBundle::file) != space.bundles.end();
    });
    if (!known && name.starts_with("waylay-")) remove_merged_copy(entry.path());
  }
}

Result<void> Trust::read_journal() {
  Result<std::string> text = read_file(journal_path(), kMaximumJournal);
  if (!text && text.error().kind == ErrorKind::NotFound) return {};
  if (!text) return fail(text);
  try {
    Json json = Json::parse(*text);
    if (json.at("boot") != boot_id()) return {};  // mounts do not survive a reboot
    for (const Json& entry : json.at("namespaces")) {
      Namespace space{.inode = entry.at("namespace"), .bundles = {}, .targets = {}};
      for (const Json& bundle : entry.at("bundles")) {
        std::string file = bundle.at("file");
        if (file.empty() || file.find('/') != std::string::npos) continue;
        space.bundles.push_back({.path = bundle.at("path"),
                                 .file = file,
                                 .file_device = bundle.at("device"),
                                 .file_inode = bundle.at("inode")});
      }
      namespaces_.push_back(std::move(space));
    }
  } catch (const Json::exception& error) {
    return fail(
        Error::local(ErrorKind::Invalid, journal_path() + ": " + error.what() + "; remove it if it is damaged"));
  }
  return {};
}

Result<void> Trust::write_journal() const {
  Json list = Json::array();
  for (const Namespace& space : namespaces_) {
    Json bundles = Json::array();
    for (const MergedBundle& bundle : space.bundles) bundles.push_back(to_json(bundle));
    list.push_back({{"namespace", space.inode}, {"bundles", bundles}});
  }
  Json json = {{"boot", boot_id()}, {"namespaces", list}};
  return replace_file(journal_path(), json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n", 0600);
}

}  // namespace waylay::warden
