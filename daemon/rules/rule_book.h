// The current rules of the daemon, for all workers. Thread-safe. Changes are atomic: all of a change or none, and each
// that changes something is a version (history.h).
//
// Rules come from four sources, and apply in this order: files (rules.d, in name order); the API; then groups, which
// come and go together: those of holds and of scenarios. A name belongs to one rule in the whole book. What does not
// come from files ends with the daemon.
//
// Counters belong to a rule's name and survive a change that leaves the rule's text as it is.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "rules/history.h"
#include "rules/rule_set.h"

namespace waylay::rules {

// `json` is one rule, {"rules": [...]} or [...]; comments allowed. `origin` names it in errors ("rules.d/a.json").
struct Document {
  std::string_view json, origin;
};

enum class Source : uint8_t { File, Api, Hold, Scenario };
std::string_view to_string(Source source);

class RuleBook {
 public:
  using Names = std::vector<std::string>;

  RuleBook();
  std::shared_ptr<const RuleSet> current() const;
  uint64_t version() const { return version_.load(std::memory_order_acquire); }  // cheap: has anything changed?

  // Errors: syntax by line and column, a wrong value by origin and JSON pointer, an existing name as a Conflict.
  // `by.at` is when the rules come into force.
  Result<Names> add(std::span<const Document> documents, const By& by);
  Result<Names> replace(std::span<const Document> documents, const By& by);  // of all that the API added
  Result<Names> add(std::string_view json, std::string_view origin, const By& by);
  Result<Names> replace(std::string_view json, std::string_view origin, const By& by);
  Result<void> remove(std::string_view name, const By& by);  // one that the API added
  size_t remove_all(const By& by);                           // those that the API added

  // Reads the files of a directory again (directory.h). How many rules they hold.
  Result<size_t> load_directory(const std::string& directory, const By& by);

  // Makes a group, or ends it; `source` is Hold or Scenario. One that is begun while it runs is a Conflict; one whose
  // rules are all past their time to live is over, and may be begun again.
  Result<Names> begin_group(Source source, std::string_view name, std::span<const Document> documents, const By& by);
  Result<size_t> end_group(Source source, std::string_view name, const By& by);  // how many rules went

  // Files' and the API's rules as they were in that version; groups and the switch for faults stay as they are. A rule
  // that is in force unchanged goes on counting; one that comes back begins. What changed, in words.
  Result<std::string> rollback(uint64_t version, const By& by);

  // The switch for everything that injects, whoever added it and whenever: those rules are kept, and neither they nor
  // new ones act while it is off. It is on when the daemon starts, and stays as it is when rules change.
  void switch_faults(bool on, const By& by);
  bool faults() const { return current()->faults(); }

  // As the API shows them, in JSON.
  //
  // The rules with their text, source, hits and what is left of their limits at `now`; groups with their rules' names.
  std::string to_json(Time now) const;
  std::string groups_to_json(Source source, Time now) const;
  std::string history_to_json() const;
  // What became of the rules between two versions; 0: what is in force.
  Result<std::string> difference(uint64_t from, uint64_t to) const;
  // What replace() or load_directory() would change.
  Result<std::string> difference(std::span<const Document> documents) const;
  Result<std::string> difference_of_directory(const std::string& directory) const;

 private:
  struct Group {
    Source source;
    std::string name;
    RuleList rules;
    By begun;
  };

  void publish(const By& by, std::string what);  // this and the next ones with mutex_ held
  RuleList of_groups() const;
  RuleList all_but_files() const;
  RuleList all_but_api() const;
  std::vector<Group>::iterator find_group(Source source, std::string_view name);
  std::string owner_of(std::string_view rule) const;

  mutable std::mutex mutex_;
  RuleList from_files_, from_api_;
  std::vector<Group> groups_;
  std::shared_ptr<const RuleSet> current_;
  History history_;
  bool faults_ = true;
  std::atomic<uint64_t> version_{0};
};

}  // namespace waylay::rules
