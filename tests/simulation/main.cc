// Thousands of connections through the pure core, with everything that a network, two peers and an operator can do to
// them. One seed is one universe: a handful of conversations at once, chosen, cut up and disturbed by chance alone.
//
//   simulation [--seconds N] [--seed N [--verbose]] [--from N]
//
// Without a seed it goes through seeds from `--from` (the time of day by default, so that every run looks elsewhere)
// until the time is over. It ends with 0 when nothing was found; else it says which seed shows it.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "simulation/conversation.h"

namespace waylay::simulation {
namespace {

constexpr int kMostSteps = 2'000'000;
// Every time limit of a flow is over by then.
constexpr int kLongestWait_s = 2'000;

struct Totals {
  uint64_t seeds = 0, conversations = 0, steps = 0;
  size_t most_queued = 0;
};

class Run {
 public:
  explicit Run(uint64_t seed) : universe_(seed) {
    size_t count = universe_.chance.between(1, 12);
    for (size_t i = 0; i < count; ++i) all_.push_back(std::make_unique<Conversation>(universe_, i));
    alive_ = all_;
  }

  void go(Totals& totals) {
    uint64_t lively = universe_.chance.between(100, 5'000);
    for (; !alive_.empty(); ++steps_) {
      if (steps_ == lively) finish();
      if (steps_ == kMostSteps) found("it never ends: " + alive_.front()->describe());
      step();
    }
    for (auto& conversation : all_) {
      conversation->check();
      totals.most_queued = std::max(totals.most_queued, conversation->most_queued());
    }
    ++totals.seeds;
    totals.conversations += all_.size();
    totals.steps += steps_;
  }

  void describe() const {
    for (auto& conversation : all_) printf("%s\n", conversation->describe().c_str());
  }

 private:
  void step() {
    Chance& chance = universe_.chance;
    if (chance.one_in(500)) universe_.change_rules();
    if (chance.one_in(10)) pass_time(static_cast<int64_t>(chance.below(20)) * kMillisecond_ns);
    size_t index = chance.below(alive_.size());
    if (alive_[index]->act()) {
      idle_ = 0;
      waited_s_ = 0;
    } else if (++idle_ > 20 * alive_.size()) {  // nobody can do anything but wait
      pass_time(kSecond_ns);
      if (++waited_s_ == kLongestWait_s) finish();
      if (waited_s_ > 2 * kLongestWait_s) found("nothing moves any more: " + alive_.front()->describe());
    }
    if (alive_[index]->over()) alive_.erase(alive_.begin() + static_cast<ptrdiff_t>(index));
  }

  void finish() {
    for (auto& conversation : alive_) conversation->finish();
  }

  void pass_time(int64_t time_ns) {
    universe_.now.steady_ns += time_ns;
    universe_.now.wall_ns += time_ns;
    for (auto& conversation : alive_) conversation->pass_time(time_ns);
  }

  Universe universe_;
  std::vector<std::shared_ptr<Conversation>> all_, alive_;
  uint64_t steps_ = 0;
  size_t idle_ = 0;
  int waited_s_ = 0;
};

int simulate(int argc, char** argv) {
  std::optional<uint64_t> seed;
  uint64_t from = static_cast<uint64_t>(now().wall_ns / kMillisecond_ns);
  int64_t seconds = 60;
  bool verbose = false;
  for (int i = 1; i < argc; ++i) {
    bool has_value = i + 1 < argc;
    if (strcmp(argv[i], "--verbose") == 0)
      verbose = true;
    else if (has_value && strcmp(argv[i], "--seed") == 0)
      seed = strtoull(argv[++i], nullptr, 10);
    else if (has_value && strcmp(argv[i], "--from") == 0)
      from = strtoull(argv[++i], nullptr, 10);
    else if (has_value && strcmp(argv[i], "--seconds") == 0)
      seconds = strtoll(argv[++i], nullptr, 10);
    else
      return fprintf(stderr, "usage: simulation [--seconds N] [--from N] [--seed N [--verbose]]\n"), 2;
  }
  Totals totals;
  int64_t end_ns = now().steady_ns + seconds * kSecond_ns;
  for (uint64_t next = seed.value_or(from); now().steady_ns < end_ns; ++next) {
    name_the_seed(next);
    Run run(next);
    run.go(totals);
    if (verbose) run.describe();
    if (seed) break;
  }
  printf("%llu seeds, %llu conversations, %llu steps: nothing found; at most %zu bytes waited in a queue\n",
         static_cast<unsigned long long>(totals.seeds), static_cast<unsigned long long>(totals.conversations),
         static_cast<unsigned long long>(totals.steps), totals.most_queued);
  return 0;
}

}  // namespace
}  // namespace waylay::simulation

int main(int argc, char** argv) {
  return waylay::simulation::simulate(argc, argv);
}
