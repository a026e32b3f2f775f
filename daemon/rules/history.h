// The versions of the rules that were in force, newest last: who changed what and when, and the rules themselves, so
// that two can be compared and one be brought back. Bounded in number and in memory; the newest is always kept. It
// begins with the daemon.
//
// Not thread-safe: it belongs to a RuleBook, under its lock.
#pragma once

#include <deque>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "rules/rule_set.h"

namespace waylay::rules {

struct By {  // who changes the rules, and when
  Time at;
  std::string who;  // "uid=0 pid=4711", "SIGHUP"

  By(Time when, std::string changer = "") : at(when), who(std::move(changer)) {}
};

struct Version {
  uint64_t number = 0;
  By by;
  std::string what;                           // "rules.d: added slow"
  RuleList from_files, from_api, of_a_while;  // the last: of holds and scenarios, which are not brought back
  bool faults = true;

  RuleList all() const;
};

class History {
 public:
  static constexpr size_t kMostVersions = 100;
  static constexpr size_t kMostBytes = 64 * 1024 * 1024;  // of rules' texts that only older versions hold

  void add(Version version);
  Result<const Version*> find(uint64_t number) const;  // NotFound tells which there are
  std::string to_json() const;                         // the newest first

 private:
  struct Kept {
    Version version;
    size_t new_bytes = 0;  // of rules that the version before did not have
  };
  std::deque<Kept> versions_;
  size_t bytes_ = 0;
};

}  // namespace waylay::rules
