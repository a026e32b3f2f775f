#include "rules/history.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ranges>
#include <unordered_set>

#include "rules/rule.h"

namespace waylay::rules {
namespace {

size_t new_bytes_of(const RuleList& rules, const RuleList& former) {
  std::unordered_set<const Rule*> known;
  for (const auto& rule : former) known.insert(rule.get());
  size_t bytes = 0;
  for (const auto& rule : rules)
    if (!known.contains(rule.get())) bytes += rule->text().size();
  return bytes;
}

}  // namespace

RuleList Version::all() const {
  RuleList all = from_files;
  all.insert(all.end(), from_api.begin(), from_api.end());
  all.insert(all.end(), of_a_while.begin(), of_a_while.end());
  return all;
}

void History::add(Version version) {
  size_t bytes = new_bytes_of(version.all(), versions_.empty() ? RuleList() : versions_.back().version.all());
  versions_.push_back({std::move(version), bytes});
  bytes_ += bytes;
  while (versions_.size() > kMostVersions || (bytes_ > kMostBytes && versions_.size() > 1)) {
    bytes_ -= versions_.front().new_bytes;
    versions_.pop_front();
  }
}

Result<const Version*> History::find(uint64_t number) const {
  auto found = std::ranges::find(versions_, number, [](const Kept& kept) { return kept.version.number; });
  if (found != versions_.end()) return &found->version;
  return fail(Error::local(ErrorKind::NotFound, "there is no version " + std::to_string(number) +
                                                    " of the rules (any more); " +
                                                    std::to_string(versions_.front().version.number) + " to " +
                                                    std::to_string(versions_.back().version.number) + " are kept"));
}

std::string History::to_json() const {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Kept& kept : std::views::reverse(versions_)) {
    const Version& version = kept.version;
    all.push_back({{"version", version.number},
                   {"at", to_iso8601(version.by.at.wall_ns)},
                   {"who", version.by.who},
                   {"what", version.what},
                   {"rules", version.all().size()},
                   {"faults", version.faults}});
  }
  return all.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace waylay::rules
