#include "simulation/speaker.h"

#include <algorithm>
#include <cstdlib>

namespace waylay::simulation {

void Story::begin(std::vector<PlannedExchange> planned) {
  plan = std::move(planned);
  requests.resize(plan.size());
  responses.resize(plan.size());
  arrivals.resize(plan.size());
  over.resize(plan.size());
}

void Story::wrong(const std::string& what) const {
  report(what);
  abort();
}

size_t Story::index_of(std::string_view name) const {
  return static_cast<size_t>(std::ranges::find(plan, name, &PlannedExchange::name) - plan.begin());
}

bool Story::quick_ones_are_over() const {
  for (size_t i = 0; i < plan.size(); ++i) {
    if (!over[i] && !plan[i].slow_request && !plan[i].slow_response) return false;
  }
  return true;
}

}  // namespace waylay::simulation
