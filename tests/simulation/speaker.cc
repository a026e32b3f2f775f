#include "simulation/speaker.h"

#include <algorithm>
#include <cstdlib>

namespace waylay::simulation {

// Much in small pieces would take all the time.
void Story::begin(std::vector<PlannedExchange> planned) {
  constexpr size_t kMuch = 4'000'000;
  plan = std::move(planned);
  size_t bytes = 0;
  for (const PlannedExchange& exchange : plan) bytes += exchange.request_size + exchange.response_size;
  swift = swift || bytes > kMuch;
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
  auto slow = static_cast<size_t>(std::ranges::count_if(plan, &PlannedExchange::is_slow));
  if (slow >= most_streams) return true;  // else they would keep the others' places
  for (size_t i = 0; i < plan.size(); ++i) {
    if (!over[i] && !plan[i].is_slow()) return false;
  }
  return true;
}

}  // namespace waylay::simulation
