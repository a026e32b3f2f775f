#include "aws/service.h"

#include <algorithm>

namespace waylay::aws {

const Service* find_service(std::string_view name) {
  auto row = std::ranges::lower_bound(services(), name, {}, &Service::name);
  return row != services().end() && row->name == name ? &*row : nullptr;
}

}  // namespace waylay::aws
