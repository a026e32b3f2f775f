#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/nearest.h"
#include "rules/rule_reader.h"
#include "rules/rule_set.h"

namespace waylay::rules {
namespace {

using Loaded = std::vector<std::shared_ptr<Rule>>;
using Published = std::vector<std::shared_ptr<const Rule>>;

const Rule* find(const Published& rules, std::string_view name) {
  auto found = std::ranges::find(rules, name, [](const auto& rule) -> std::string_view { return rule->name(); });
  return found == rules.end() ? nullptr : found->get();
}

Published begun(Loaded rules, Time now) {
  for (const auto& rule : rules) rule->begin(now);
  return {rules.begin(), rules.end()};
}

// Rules that are as they were go on counting where they are; the others begin.
Published with_tallies(Loaded rules, const Published& former, Time now) {
  std::unordered_map<std::string_view, const Rule*> by_name;
  for (const auto& rule : former) by_name.emplace(rule->name(), rule.get());
  Published all = begun(rules, now);
  for (const auto& rule : rules)
    if (auto found = by_name.find(rule->name()); found != by_name.end() && found->second->text() == rule->text())
      rule->adopt_tally(*found->second);
  return all;
}

// Every name of `rules` that `others` has already.
Result<void> check_unique(const Loaded& rules, const Published& others) {
  std::unordered_map<std::string_view, const Rule*> by_name;
  for (const auto& rule : others) by_name.emplace(rule->name(), rule.get());
  for (const auto& rule : rules)
    if (auto found = by_name.find(rule->name()); found != by_name.end())
      return fail(Error::local(ErrorKind::Conflict, rule->origin() + ": there is a rule \"" + rule->name() +
                                                        "\" already, from " + found->second->origin()));
  if (rules.size() + others.size() > kMostRules)
    return fail(Error::local(ErrorKind::Limit,
                             std::to_string(rules.size() + others.size()) + " rules; at most 10000 are held"));
  return {};
}

std::vector<std::string> names_of(const Published& rules) {
  std::vector<std::string> names;
  for (const auto& rule : rules) names.push_back(rule->name());
  return names;
}

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(posix_error(errno, "reading " + path.string()));
  std::string text(kMostRuleFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return fail(posix_error(EIO, "reading " + path.string()));
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

// The directory's *.json in name order; a missing directory is an empty one.
Result<std::vector<std::filesystem::path>> list_files(const std::string& directory) {
  std::error_code error;
  std::vector<std::filesystem::path> paths;
  std::filesystem::directory_iterator entries(directory, error);
  if (error == std::errc::no_such_file_or_directory) return paths;
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const std::filesystem::path& path = entries->path();
    bool hidden = path.filename().string().starts_with('.');  // what editors leave beside a file being written
    std::error_code ignored;
    if (!hidden && path.extension() == ".json" && entries->is_regular_file(ignored)) paths.push_back(path);
  }
  if (error) return fail(posix_error(error.value(), "reading the rules in " + directory));
  std::ranges::sort(paths);
  return paths;
}

// Why a rule does or does not act, in one word.
std::string_view state_of(const Rule& rule, bool faults, Time now) {
  if (!rule.enabled()) return "disabled";
  if (rule.tally().life_left_ns(now) == 0) return "expired";
  if (rule.tally().left() == 0) return "used_up";
  return !faults && rule.actions().injects() ? "off" : "active";
}

nlohmann::ordered_json shown(const Rule& rule, std::string_view source, bool faults, Time now) {
  const Tally& tally = rule.tally();
  nlohmann::ordered_json json = {{"name", rule.name()},
                                 {"source", source},
                                 {"origin", rule.origin()},
                                 {"enabled", rule.enabled()},
                                 {"acts_at", match::to_string(rule.acts_at())},
                                 {"state", state_of(rule, faults, now)},
                                 {"hits", tally.hits()},
                                 {"times_left", nullptr},
                                 {"seconds_left", nullptr},
                                 {"ends", nullptr},
                                 {"seed", nullptr},
                                 {"rule", nlohmann::ordered_json::parse(rule.text())}};
  if (std::optional<uint64_t> left = tally.left()) json["times_left"] = *left;
  if (std::optional<int64_t> left_ns = tally.life_left_ns(now)) {
    json["seconds_left"] = (*left_ns + kSecond_ns - 1) / kSecond_ns;
    if (*left_ns > 0) json["ends"] = to_iso8601(now.wall_ns + *left_ns);
  }
  if (std::optional<uint64_t> seed = tally.seed()) json["seed"] = *seed;
  return json;
}

}  // namespace

RuleBook::RuleBook() {
  publish();
}

std::shared_ptr<const RuleSet> RuleBook::current() const {
  std::lock_guard lock(mutex_);
  return current_;
}

void RuleBook::publish() {
  Published all = from_files_;
  all.insert(all.end(), from_api_.begin(), from_api_.end());
  uint64_t version = version_.load(std::memory_order_relaxed) + 1;
  current_ = std::make_shared<const RuleSet>(std::move(all), version, faults_);
  version_.store(version, std::memory_order_release);
}

Result<std::vector<std::string>> RuleBook::add(std::string_view json, std::string_view origin, Time now) {
  Result<Loaded> rules = read_rules(json, origin);
  if (!rules) return fail(rules);
  std::lock_guard lock(mutex_);
  if (Result<void> unique = check_unique(*rules, current_->rules()); !unique) return fail(unique);
  Published added = begun(std::move(*rules), now);
  from_api_.insert(from_api_.end(), added.begin(), added.end());
  publish();
  return names_of(added);
}

Result<std::vector<std::string>> RuleBook::replace(std::string_view json, std::string_view origin, Time now) {
  Result<Loaded> rules = read_rules(json, origin);
  if (!rules) return fail(rules);
  std::lock_guard lock(mutex_);
  if (Result<void> unique = check_unique(*rules, from_files_); !unique) return fail(unique);
  from_api_ = with_tallies(std::move(*rules), from_api_, now);
  publish();
  return names_of(from_api_);
}

Result<void> RuleBook::remove(std::string_view name) {
  std::lock_guard lock(mutex_);
  if (const Rule* rule = find(from_files_, name))
    return fail(Error::local(ErrorKind::Conflict, "rule \"" + std::string(name) + "\" comes from " + rule->origin() +
                                                      ": remove it there and reload"));
  size_t removed = std::erase_if(from_api_, [name](const auto& rule) { return rule->name() == name; });
  if (removed == 0) {
    std::vector<std::string_view> names;
    for (const auto& rule : from_api_) names.push_back(rule->name());
    return fail(Error::local(ErrorKind::NotFound,
                             "there is no rule \"" + std::string(name) + "\"" + did_you_mean(name, names)));
  }
  publish();
  return {};
}

size_t RuleBook::remove_all() {
  std::lock_guard lock(mutex_);
  size_t removed = from_api_.size();
  if (removed == 0) return 0;
  from_api_.clear();
  publish();
  return removed;
}

Result<size_t> RuleBook::load_directory(const std::string& directory, Time now) {
  Result<std::vector<std::filesystem::path>> paths = list_files(directory);
  if (!paths) return fail(paths);
  Loaded all;
  for (const std::filesystem::path& path : *paths) {
    Result<std::string> text = read_file(path);
    if (!text) return fail(text);
    Result<Loaded> rules = read_rules(*text, path.string());
    if (!rules) return fail(rules);
    if (Result<void> unique = check_unique(*rules, {all.begin(), all.end()}); !unique) return fail(unique);
    all.insert(all.end(), rules->begin(), rules->end());
  }
  std::lock_guard lock(mutex_);
  if (Result<void> unique = check_unique(all, from_api_); !unique) return fail(unique);
  from_files_ = with_tallies(std::move(all), from_files_, now);
  publish();
  return from_files_.size();
}

void RuleBook::switch_faults(bool on) {
  std::lock_guard lock(mutex_);
  if (faults_ == on) return;
  faults_ = on;
  publish();
}

std::string RuleBook::to_json(Time now) const {
  nlohmann::ordered_json rules = nlohmann::ordered_json::array();
  std::lock_guard lock(mutex_);
  for (const auto& rule : from_files_) rules.push_back(shown(*rule, "file", faults_, now));
  for (const auto& rule : from_api_) rules.push_back(shown(*rule, "api", faults_, now));
  return rules.dump();
}

}  // namespace waylay::rules
