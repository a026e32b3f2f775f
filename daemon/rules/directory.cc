#include "rules/directory.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "rules/names.h"
#include "rules/rule_reader.h"

namespace waylay::rules {
namespace {

namespace fs = std::filesystem;

Result<std::string> read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(posix_error(errno, "reading " + path.string()));
  std::string text(kMostRuleFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fail(posix_error(EIO, "reading " + path.string()));
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

// A file that a rule names lies beside it: who may write rules says with them what the daemon sends, not what it reads.
Result<std::string> read_body_file(const fs::path& directory, const fs::path& name) {
  if (name.is_absolute() || name.has_parent_path() || name.filename() != name || name == "..")
    return fail(Error::local(ErrorKind::Invalid, "must be the name of a file beside the rules, without a folder"));
  std::error_code ignored;
  if (!fs::is_regular_file(directory / name, ignored))
    return fail(Error::local(ErrorKind::NotFound, "there is no such file beside the rules"));
  return read_file(directory / name);
}

Result<std::vector<fs::path>> list_files(const std::string& directory) {
  std::error_code error;
  std::vector<fs::path> paths;
  fs::directory_iterator entries(directory, error);
  if (error == std::errc::no_such_file_or_directory) return paths;
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    const fs::path& path = entries->path();
    bool hidden = path.filename().string().starts_with('.');  // what editors leave beside a file being written
    std::error_code ignored;
    if (!hidden && path.extension() == ".json" && entries->is_regular_file(ignored)) paths.push_back(path);
  }
  if (error) return fail(posix_error(error.value(), "reading the rules in " + directory));
  std::ranges::sort(paths);
  return paths;
}

}  // namespace

Result<std::vector<std::shared_ptr<Rule>>> read_directory(const std::string& directory) {
  Result<std::vector<fs::path>> paths = list_files(directory);
  if (!paths) return fail(paths);
  std::vector<std::shared_ptr<Rule>> all;
  for (const fs::path& path : *paths) {
    Result<std::string> text = read_file(path);
    if (!text) return fail(text);
    auto beside = [&](const std::string& name) { return read_body_file(fs::path(directory), name); };
    Result<std::vector<std::shared_ptr<Rule>>> rules = read_rules(*text, path.string(), beside);
    if (!rules) return fail(rules);
    if (Result<void> unique = check_unique(*rules, {all.begin(), all.end()}); !unique) return fail(unique);
    all.insert(all.end(), rules->begin(), rules->end());
  }
  return all;
}

}  // namespace waylay::rules
