#include "rules/rule_book.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/check.h"
#include "base/nearest.h"
#include "rules/difference.h"
#include "rules/directory.h"
#include "rules/names.h"
#include "rules/rule_reader.h"

namespace waylay::rules {
namespace {

using Json = nlohmann::ordered_json;
using Loaded = std::vector<std::shared_ptr<Rule>>;

RuleList joined(RuleList first, const RuleList& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

RuleList begun(const Loaded& rules, Time now) {
  for (const auto& rule : rules) rule->begin(now);
  return {rules.begin(), rules.end()};
}

// Rules that are as they were go on counting where they are; the others begin.
RuleList with_tallies(const Loaded& rules, const RuleList& former, Time now) {
  std::unordered_map<std::string_view, const Rule*> by_name;
  for (const auto& rule : former) by_name.emplace(rule->name(), rule.get());
  RuleList all = begun(rules, now);
  for (const auto& rule : rules)
    if (auto found = by_name.find(rule->name()); found != by_name.end() && found->second->text() == rule->text())
      rule->adopt_tally(*found->second);
  return all;
}

// Rules of a former version: those that are in force unchanged stay what they are, the others begin.
RuleList brought_back(const RuleList& rules, const RuleList& in_force, Time now) {
  RuleList back;
  for (const auto& rule : rules) {
    auto same = std::ranges::find_if(
        in_force, [&](const auto& other) { return other->name() == rule->name() && other->text() == rule->text(); });
    if (same != in_force.end()) {
      back.push_back(*same);
      continue;
    }
    Result<Loaded> again = read_rules(rule->text(), rule->origin());
    CHECK(again && again->size() == 1);  // it was read before
    again->front()->begin(now);
    back.push_back(again->front());
  }
  return back;
}

Result<Loaded> read_all(std::span<const Document> documents) {
  Loaded all;
  for (const Document& document : documents) {
    Result<Loaded> rules = read_rules(document.json, document.origin);
    if (!rules) return fail(rules);
    if (Result<void> unique = check_unique(*rules, {all.begin(), all.end()}); !unique) return fail(unique);
    all.insert(all.end(), rules->begin(), rules->end());
  }
  return all;
}

// The origins of documents: what a person who reads the history takes a change for.
std::string origins_of(std::span<const Document> documents) {
  std::string origins;
  for (const Document& document : documents) origins.append(origins.empty() ? "" : ", ").append(document.origin);
  return origins;
}

bool same_origins(const RuleList& a, const RuleList& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) { return x->origin() == y->origin(); });
}

bool is_over(const RuleList& rules, Time now) {
  return std::ranges::all_of(rules, [now](const auto& rule) { return rule->tally().life_left_ns(now) == 0; });
}

// Why a rule does or does not act, in one word.
std::string_view state_of(const Rule& rule, bool faults, Time now) {
  if (!rule.enabled()) return "disabled";
  if (rule.tally().life_left_ns(now) == 0) return "expired";
  if (rule.tally().left() == 0) return "used_up";
  return !faults && rule.actions().injects() ? "off" : "active";
}

int64_t whole_seconds(int64_t ns) {
  return (ns + kSecond_ns - 1) / kSecond_ns;
}

Json shown(const Rule& rule, Source source, const Json& group, bool faults, Time now) {
  const Tally& tally = rule.tally();
  Json json = {{"name", rule.name()},
               {"source", to_string(source)},
               {"group", group},
               {"origin", rule.origin()},
               {"enabled", rule.enabled()},
               {"acts_at", match::to_string(rule.acts_at())},
               {"state", state_of(rule, faults, now)},
               {"hits", tally.hits()},
               {"times_left", nullptr},
               {"seconds_left", nullptr},
               {"ends", nullptr},
               {"seed", nullptr},
               {"rule", Json::parse(rule.text())}};
  if (std::optional<uint64_t> left = tally.left()) json["times_left"] = *left;
  if (std::optional<int64_t> left_ns = tally.life_left_ns(now)) {
    json["seconds_left"] = whole_seconds(*left_ns);
    if (*left_ns > 0) json["ends"] = to_iso8601(now.wall_ns + *left_ns);
  }
  if (std::optional<uint64_t> seed = tally.seed()) json["seed"] = *seed;
  return json;
}

// Until the last of its rules ends; null: one of them lives forever.
Json seconds_left(const RuleList& rules, Time now) {
  int64_t most = 0;
  for (const auto& rule : rules) {
    std::optional<int64_t> left_ns = rule->tally().life_left_ns(now);
    if (!left_ns) return nullptr;
    most = std::max(most, *left_ns);
  }
  return whole_seconds(most);
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string_view to_string(Source source) {
  switch (source) {
    case Source::File:
      return "file";
    case Source::Api:
      return "api";
    case Source::Hold:
      return "hold";
    case Source::Scenario:
      return "scenario";
  }
  CHECK(!"a source");
}

RuleBook::RuleBook() {
  publish(By(now()), "the daemon started");
}

std::shared_ptr<const RuleSet> RuleBook::current() const {
  std::lock_guard lock(mutex_);
  return current_;
}

void RuleBook::publish(const By& by, std::string what) {
  uint64_t version = version_.load(std::memory_order_relaxed) + 1;
  Version made{version, by, std::move(what), from_files_, from_api_, of_groups(), faults_};
  current_ = std::make_shared<const RuleSet>(made.all(), version, faults_);
  history_.add(std::move(made));
  version_.store(version, std::memory_order_release);
}

RuleList RuleBook::of_groups() const {
  RuleList all;
  for (const Group& group : groups_) all.insert(all.end(), group.rules.begin(), group.rules.end());
  return all;
}

RuleList RuleBook::all_but_files() const {
  return joined(from_api_, of_groups());
}
RuleList RuleBook::all_but_api() const {
  return joined(from_files_, of_groups());
}

// --- what the API adds

Result<RuleBook::Names> RuleBook::add(std::span<const Document> documents, const By& by) {
  Result<Loaded> rules = read_all(documents);
  if (!rules) return fail(rules);
  std::lock_guard lock(mutex_);
  if (Result<void> unique = check_unique(*rules, current_->rules()); !unique) return fail(unique);
  RuleList added = begun(*rules, by.at);
  from_api_ = joined(std::move(from_api_), added);
  publish(by, origins_of(documents) + ": " + in_words({.added = added, .removed = {}, .changed = {}}));
  return names_of(added);
}

Result<RuleBook::Names> RuleBook::replace(std::span<const Document> documents, const By& by) {
  Result<Loaded> rules = read_all(documents);
  if (!rules) return fail(rules);
  std::lock_guard lock(mutex_);
  if (Result<void> unique = check_unique(*rules, all_but_api()); !unique) return fail(unique);
  RuleList former = std::exchange(from_api_, with_tallies(*rules, from_api_, by.at));
  publish(by, origins_of(documents) + ": " + in_words(compare(former, from_api_)));
  return names_of(from_api_);
}

Result<RuleBook::Names> RuleBook::add(std::string_view json, std::string_view origin, const By& by) {
  return add(std::array{Document{json, origin}}, by);
}
Result<RuleBook::Names> RuleBook::replace(std::string_view json, std::string_view origin, const By& by) {
  return replace(std::array{Document{json, origin}}, by);
}

// How to get rid of a rule that the API did not add.
std::string RuleBook::owner_of(std::string_view rule) const {
  if (const Rule* found = find_rule(from_files_, rule))
    return "comes from " + found->origin() + ": remove it there and reload";
  for (const Group& group : groups_) {
    if (!find_rule(group.rules, rule)) continue;
    if (group.source == Source::Scenario)
      return "belongs to the scenario " + group.name + ": waylay scenarios stop " + group.name;
    return "is held by " + group.begun.who + " and ends with that command; \"waylay off\" stops all faults";
  }
  return "";
}

Result<void> RuleBook::remove(std::string_view name, const By& by) {
  std::lock_guard lock(mutex_);
  if (std::string owner = owner_of(name); !owner.empty())
    return fail(Error::local(ErrorKind::Conflict, "rule \"" + std::string(name) + "\" " + owner));
  size_t removed = std::erase_if(from_api_, [name](const auto& rule) { return rule->name() == name; });
  if (removed == 0) {
    std::vector<std::string_view> names;
    for (const auto& rule : from_api_) names.push_back(rule->name());
    return fail(Error::local(ErrorKind::NotFound,
                             "there is no rule \"" + std::string(name) + "\"" + did_you_mean(name, names)));
  }
  publish(by, "removed " + std::string(name));
  return {};
}

size_t RuleBook::remove_all(const By& by) {
  std::lock_guard lock(mutex_);
  RuleList removed = std::exchange(from_api_, {});
  if (removed.empty()) return 0;
  publish(by, in_words(compare(removed, from_api_)));
  return removed.size();
}

// --- files

Result<size_t> RuleBook::load_directory(const std::string& directory, const By& by) {
  Result<Loaded> rules = read_directory(directory);
  if (!rules) return fail(rules);
  std::lock_guard lock(mutex_);
  if (Result<void> unique = check_unique(*rules, all_but_files()); !unique) return fail(unique);
  RuleList former = std::exchange(from_files_, with_tallies(*rules, from_files_, by.at));
  Difference difference = compare(former, from_files_);
  bool changed = !difference.empty() || !same_origins(former, from_files_);
  if (changed) publish(by, directory + ": " + in_words(difference));
  return from_files_.size();
}

// --- groups

std::vector<RuleBook::Group>::iterator RuleBook::find_group(Source source, std::string_view name) {
  return std::ranges::find_if(groups_,
                              [&](const Group& group) { return group.source == source && group.name == name; });
}

Result<RuleBook::Names> RuleBook::begin_group(Source source, std::string_view name, std::span<const Document> documents,
                                              const By& by) {
  Result<Loaded> rules = read_all(documents);
  if (!rules) return fail(rules);
  std::lock_guard lock(mutex_);
  auto found = find_group(source, name);
  bool runs = found != groups_.end() && !is_over(found->rules, by.at);
  std::string called = std::string(to_string(source)) + " " + std::string(name);
  if (runs)
    return fail(Error::local(ErrorKind::Conflict, "the " + called + " runs already, started at " +
                                                      to_iso8601(found->begun.at.wall_ns) + " by " + found->begun.who));
  RuleList others = current_->rules();
  if (found != groups_.end())
    std::erase_if(others, [&](const auto& rule) { return find_rule(found->rules, rule->name()) != nullptr; });
  if (Result<void> unique = check_unique(*rules, others); !unique) return fail(unique);
  if (found != groups_.end()) groups_.erase(found);
  groups_.push_back({source, std::string(name), begun(*rules, by.at), by});
  const RuleList& added = groups_.back().rules;
  publish(by, called + " begins: " + in_words({.added = added, .removed = {}, .changed = {}}));
  return names_of(added);
}

Result<size_t> RuleBook::end_group(Source source, std::string_view name, const By& by) {
  std::lock_guard lock(mutex_);
  auto found = find_group(source, name);
  std::string called = std::string(to_string(source)) + " " + std::string(name);
  if (found == groups_.end()) return fail(Error::local(ErrorKind::NotFound, "no " + called + " is running"));
  RuleList removed = std::move(found->rules);
  groups_.erase(found);
  publish(by, called + " ends: " + in_words(compare(removed, {})));
  return removed.size();
}

// --- versions

Result<std::string> RuleBook::rollback(uint64_t number, const By& by) {
  std::lock_guard lock(mutex_);
  Result<const Version*> version = history_.find(number);
  if (!version) return fail(version);
  RuleList groups = of_groups(), former = joined(from_files_, from_api_);
  RuleList files = brought_back((*version)->from_files, former, by.at);
  RuleList api = brought_back((*version)->from_api, former, by.at);
  for (const auto& rule : groups)
    if (find_rule(files, rule->name()) || find_rule(api, rule->name()))
      return fail(Error::local(ErrorKind::Conflict, "version " + std::to_string(number) + " has a rule \"" +
                                                        rule->name() + "\", which now " + owner_of(rule->name())));
  std::string what = in_words(compare(former, joined(files, api)));
  if (what == "nothing changed") return what;
  from_files_ = std::move(files);
  from_api_ = std::move(api);
  publish(by, "rollback to " + std::to_string(number) + ": " + what);
  return what;
}

Result<std::string> RuleBook::difference(uint64_t from, uint64_t to) const {
  std::lock_guard lock(mutex_);
  auto rules_of = [this](uint64_t number) -> Result<RuleList> {
    if (number == 0) return current_->rules();
    Result<const Version*> version = history_.find(number);
    if (!version) return fail(version);
    return (*version)->all();
  };
  Result<RuleList> before = rules_of(from);
  if (!before) return fail(before);
  Result<RuleList> after = rules_of(to);
  if (!after) return fail(after);
  return rules::to_json(compare(*before, *after));
}

Result<std::string> RuleBook::difference(std::span<const Document> documents) const {
  Result<Loaded> rules = read_all(documents);
  if (!rules) return fail(rules);
  std::lock_guard lock(mutex_);
  if (Result<void> unique = check_unique(*rules, all_but_api()); !unique) return fail(unique);
  return rules::to_json(compare(from_api_, {rules->begin(), rules->end()}));
}

Result<std::string> RuleBook::difference_of_directory(const std::string& directory) const {
  Result<Loaded> rules = read_directory(directory);
  if (!rules) return fail(rules);
  std::lock_guard lock(mutex_);
  if (Result<void> unique = check_unique(*rules, all_but_files()); !unique) return fail(unique);
  return rules::to_json(compare(from_files_, {rules->begin(), rules->end()}));
}

void RuleBook::switch_faults(bool on, const By& by) {
  std::lock_guard lock(mutex_);
  if (faults_ == on) return;
  faults_ = on;
  publish(by, on ? "on: rules that inject act again" : "off: rules that inject do not act");
}

// --- as the API shows them

std::string RuleBook::to_json(Time now) const {
  Json rules = Json::array();
  std::lock_guard lock(mutex_);
  for (const auto& rule : from_files_) rules.push_back(shown(*rule, Source::File, nullptr, faults_, now));
  for (const auto& rule : from_api_) rules.push_back(shown(*rule, Source::Api, nullptr, faults_, now));
  for (const Group& group : groups_)
    for (const auto& rule : group.rules) rules.push_back(shown(*rule, group.source, group.name, faults_, now));
  return dump(rules);
}

std::string RuleBook::groups_to_json(Source source, Time now) const {
  Json all = Json::array();
  std::lock_guard lock(mutex_);
  for (const Group& group : groups_) {
    if (group.source != source) continue;
    uint64_t hits = 0;
    for (const auto& rule : group.rules) hits += rule->tally().hits();
    all.push_back({{"name", group.name},
                   {"started", to_iso8601(group.begun.at.wall_ns)},
                   {"who", group.begun.who},
                   {"over", is_over(group.rules, now)},
                   {"seconds_left", seconds_left(group.rules, now)},
                   {"hits", hits},
                   {"rules", names_of(group.rules)}});
  }
  return dump(all);
}

std::string RuleBook::history_to_json() const {
  std::lock_guard lock(mutex_);
  return history_.to_json();
}

}  // namespace waylay::rules
