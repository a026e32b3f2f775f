// Copies of a container's certificate files and directories, written into our own merged directory, to be mounted over
// the originals. Copies keep owner, mode and SELinux label, so that whoever could read the original still can. Used in
// a helper process (helper.h); what a failure leaves half written is removed by remove_all().
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "warden/bundles.h"

namespace waylay::warden {

struct MergedBundle {
  std::string path;                          // of the original, real, in its mount namespace; a file or a directory
  uint64_t device = 0, inode = 0;            // the original's
  std::string file;                          // name of the merged copy in the merged directory; unique for ever
  uint64_t file_device = 0, file_inode = 0;  // the copy's: what is mounted is recognised by it
};

// Files by their identity (device and inode), with what their copies are to contain.
using MergedTexts = std::map<std::pair<uint64_t, uint64_t>, std::string>;

class MergedCopies {
 public:
  // `name_prefix` begins the copies' names. `directory_fd` is borrowed.
  MergedCopies(int directory_fd, std::string name_prefix)
      : directory_fd_(directory_fd), prefix_(std::move(name_prefix)) {}

  Result<void> add_file(const RootedFile& original, std::string_view text);

  // A directory with all that is in it: links as links, files as they are or as `texts` says, and one file more: `text`
  // as HASH.0, or the next number that is free (X509_LOOKUP_hash_dir(3)). Limit, and nothing is added, when there is
  // too much in it.
  Result<void> add_directory(const RootedFile& original, const MergedTexts& texts, const std::string& hash,
                             std::string_view text);

  size_t size() const { return made_.size(); }
  void remove_all();
  std::vector<MergedBundle> take() { return std::move(made_); }

 private:
  std::string begin(const RootedFile& original);
  Result<void> finish(int copy);

  int directory_fd_;
  std::string prefix_;
  std::vector<MergedBundle> made_;
};

// A merged copy, file or directory, in the merged directory. What is not there any more is no error.
void remove_merged_copy(const std::string& path);

}  // namespace waylay::warden
