// What became of a list of rules: by name, and by text where a name is in both.
#pragma once

#include <string>
#include <vector>

#include "rules/rule_set.h"

namespace waylay::rules {

struct Difference {
  struct Changed {
    std::shared_ptr<const Rule> before, after;
  };
  RuleList added, removed;
  std::vector<Changed> changed;
  bool reordered = false;  // those in both apply in another order

  bool empty() const { return added.empty() && removed.empty() && changed.empty() && !reordered; }
};

Difference compare(const RuleList& before, const RuleList& after);

std::string to_json(const Difference& difference);  // with the rules' texts

// "added slow; changed busy, talk; another order"; "nothing changed".
std::string in_words(const Difference& difference);

}  // namespace waylay::rules
