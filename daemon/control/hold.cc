#include "control/hold.h"

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "control/render.h"

namespace waylay::control {

Result<std::unique_ptr<HoldSource>> HoldSource::begin(Context& context, std::span<const rules::Document> documents,
                                                      const rules::By& by) {
  std::string name = std::to_string(++context.holds);
  Result<std::vector<std::string>> names = context.backend.begin_rule_group(rules::Source::Hold, name, documents, by);
  if (!names) return fail(names);
  std::string line = to_text({{"hold", name}, {"names", *names}}) + "\n";
  return std::unique_ptr<HoldSource>(new HoldSource(context.backend, name, by.who, std::move(line)));
}

HoldSource::HoldSource(Backend& backend, std::string name, std::string who, std::string line)
    : backend_(backend), name_(std::move(name)), who_(std::move(who)), line_(std::move(line)) {}

HoldSource::~HoldSource() {
  (void)backend_.end_rule_group(rules::Source::Hold, name_, {now(), who_});
  log::info("event=hold-ended hold=" + name_ + " " + who_);
}

Source::Step HoldSource::next(std::string& out) {
  out += std::exchange(line_, {});
  return Step::Waiting;
}

}  // namespace waylay::control
