#include "base/bytes.h"
#include "http/message.h"
#include "rules/plan.h"

namespace waylay::rules {

void HeaderEdits::apply(http::Head& head) const {
  for (const std::string& name : remove) head.remove(name);
  for (const auto& [name, value] : set) head.set(name, value);
  for (const auto& [name, value] : add) head.add(name, value);
}

void HeaderEdits::apply(Fields& fields) const {
  auto erase = [&fields](std::string_view name) {
    std::erase_if(fields, [name](const auto& field) { return equals_ignoring_case(field.first, name); });
  };
  for (const std::string& name : remove) erase(name);
  for (const auto& [name, value] : set) {
    erase(name);
    fields.emplace_back(name, value);
  }
  fields.insert(fields.end(), add.begin(), add.end());
}

}  // namespace waylay::rules
