#include "warden/bundle_scan.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "tls/java_truststore.h"
#include "warden/bundles.h"
#include "warden/files.h"
#include "warden/helper.h"
#include "warden/mount_lines.h"

namespace waylay::warden {
namespace {

using Json = nlohmann::json;

constexpr int kScanTimeout_ms = 15'000;
constexpr size_t kMaximumMerged = 64;
constexpr std::string_view kHashedNote =
    "; programs that look certificates up there by their hash (Python's urllib and aiohttp on Debian) will refuse us "
    "unless they are started with SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt";

Json to_json(const MergedBundle& bundle) {
  return {{"path", bundle.path}, {"device", bundle.device},           {"inode", bundle.inode},
          {"file", bundle.file}, {"file_device", bundle.file_device}, {"file_inode", bundle.file_inode}};
}

MergedBundle bundle_from(const Json& json) {
  return {json.at("path"), json.at("device"),      json.at("inode"),
          json.at("file"), json.at("file_device"), json.at("file_inode")};
}

class Scanner {
 public:
  Scanner(int root_fd, MergedCopies copies, const tls::TrustAnchor& anchor, std::vector<MountLine> mounts)
      : root_fd_(root_fd), copies_(std::move(copies)), anchor_(anchor), mounts_(std::move(mounts)) {}

  // Files that lie in a merged directory are in its copy; only the others need mounts of their own.
  Result<BundleScan> scan(const std::vector<std::string>& files, const std::vector<std::string>& directories) {
    for (const std::string& candidate : files) look_at_file(candidate);
    for (const std::string& candidate : directories) look_at_directory(candidate);
    for (const RootedFile& file : files_) {
      if (is_in_merged_directory(file)) continue;
      Result<void> added = copies_.add_file(file, texts_[{file.device, file.inode}]);
      if (!added) {
        copies_.remove_all();
        return fail(added);
      }
    }
    return BundleScan{.bundles = copies_.take(), .notes = std::move(notes_)};
  }

 private:
  void note(std::string text) { notes_.push_back(std::move(text)); }

  bool is_shared(uint64_t mount_id) const {
    auto found = std::ranges::find(mounts_, mount_id, &MountLine::id);
    return found == mounts_.end() || found->shared;
  }

  void look_at_file(const std::string& candidate) {
    Result<RootedFile> file = open_in_root(root_fd_, candidate);
    if (!file && file.error().kind == ErrorKind::NotFound) return;
    if (!file) return note(file.error().message);
    // Bundles are often links to one another: each real file once.
    if (!seen_.emplace(file->device, file->inode).second) return;
    if (is_shared(file->mount_id)) return note(file->path + ": left alone, its mount is shared with other namespaces");
    if (files_.size() >= kMaximumMerged) return note(file->path + ": left alone, there are too many bundles");
    Result<std::string> merged = merge(*file);
    if (!merged) return note(file->path + ": left alone, " + merged.error().message);
    if (merged->empty()) return;  // ours is in it already
    texts_.emplace(std::pair(file->device, file->inode), std::move(*merged));
    files_.push_back(std::move(*file));
  }

  Result<std::string> merge(const RootedFile& original) const {
    Result<std::string> text = read_rooted(original);
    if (!text) return text;
    if (holds_certificates(*text)) return merge_bundle(*text, anchor_.pem);
    if (tls::is_java_truststore(*text)) return tls::merge_truststore(*text, anchor_.der);
    return fail(Error::local(ErrorKind::Invalid, "it holds no certificates"));
  }

  void look_at_directory(const std::string& candidate) {
    Result<RootedFile> directory = open_directory_in_root(root_fd_, candidate);
    if (!directory) return;
    if (std::ranges::find(directories_, directory->path) != directories_.end()) return;
    if (expand_in_root(root_fd_, directory->path + "/*.0", 1).empty()) return;  // nothing is looked up by hash in it
    if (is_shared(directory->mount_id))
      return note(directory->path + ": left alone, its mount is shared with other namespaces" +
                  std::string(kHashedNote));
    Result<void> added = copies_.add_directory(*directory, texts_, anchor_.hash, anchor_.pem);
    if (!added) return note("left alone: " + added.error().message + std::string(kHashedNote));
    directories_.push_back(directory->path);
  }

  bool is_in_merged_directory(const RootedFile& file) const {
    return std::ranges::any_of(directories_,
                               [&](const std::string& path) { return file.path.starts_with(path + "/"); });
  }

  int root_fd_;
  MergedCopies copies_;
  const tls::TrustAnchor& anchor_;
  std::vector<MountLine> mounts_;
  std::set<std::pair<uint64_t, uint64_t>> seen_;  // device and inode
  std::vector<RootedFile> files_;                 // that get our certificate
  MergedTexts texts_;                             // what they are to contain
  std::vector<std::string> directories_;
  std::vector<std::string> notes_;
};

std::string to_text(const BundleScan& scan) {
  Json bundles = Json::array();
  for (const MergedBundle& bundle : scan.bundles) bundles.push_back(to_json(bundle));
  return Json{{"bundles", bundles}, {"notes", scan.notes}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<BundleScan> scan_from(const std::string& text) {
  try {
    Json json = Json::parse(text);
    BundleScan scan;
    for (const Json& bundle : json.at("bundles")) scan.bundles.push_back(bundle_from(bundle));
    json.at("notes").get_to(scan.notes);
    return scan;
  } catch (const Json::exception& error) {
    return fail(Error::local(ErrorKind::Invalid, std::string("a helper's answer: ") + error.what()));
  }
}

Result<std::string> scan(const std::vector<pid_t>& processes, int process_fd, int root_fd, MergedCopies copies,
                         const tls::TrustAnchor& anchor) {
  Result<std::vector<MountLine>> mounts = mounts_of(process_fd);
  if (!mounts) return fail(mounts);
  Scanner scanner(root_fd, std::move(copies), anchor, std::move(*mounts));
  Result<BundleScan> done = scanner.scan(bundle_candidates(root_fd, processes), directory_candidates(processes));
  if (!done) return fail(done);
  return to_text(*done);
}

}  // namespace

Result<BundleScan> scan_bundles(const std::vector<pid_t>& processes, const std::string& merged_directory,
                                const std::string& name_prefix, const tls::TrustAnchor& anchor) {
  // Opening the magic link asks nothing of the container's file systems; everything below it is left to the helper.
  std::string path = "/proc/" + std::to_string(processes.front());
  Fd process(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  Fd root(::open((path + "/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!process || !root) return fail(posix_error(errno, "opening " + path + "/root"));
  Fd merged(::open(merged_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!merged) return fail(posix_error(errno, "opening " + merged_directory));
  auto work = [&] {
    return scan(processes, process.get(), root.get(), MergedCopies(merged.get(), name_prefix), anchor);
  };
  Result<std::string> answer = run_helper(work, {process.get(), root.get(), merged.get()}, kScanTimeout_ms);
  if (!answer) return fail(answer, "looking for certificate bundles");
  return scan_from(*answer);
}

}  // namespace waylay::warden
